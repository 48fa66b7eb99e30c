"""From a store to a page: which models are shown, what is asked, and the file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from memtax import project
from memtax.errors import ProjectError, SourceError
from memtax.report import page, vega
from memtax.report.about import about
from memtax.report.findings import Focus, Row, findings, taxonomy_datasets
from memtax.report.sections import SECTIONS
from memtax.report.tables import Answer, Tables

# Of so many models and checkpoints the details are shown unless some are named: enough for the eight sizes of Pythia with
# a few checkpoints, and few enough for a page that opens at once.
MOST_RUNS = 12
# The same where models are named: a page of a few megabytes, whatever the number of their checkpoints.
MOST_NAMED = 40


@dataclass(frozen=True)
class ReportOptions:
    """What to show.

    Attributes:
        models: of these the details are shown, as MODEL@REVISION or MODEL (its checkpoints: MOST_NAMED of all that are
            named so, spread over training); none for the last checkpoints of all models and then earlier ones of the largest,
            spread over training, MOST_RUNS in all.
        dataset: shown first, where several were evaluated; None for the largest representative one.
    """

    models: tuple[str, ...] = ()
    dataset: str | None = None


def write_report(connection: duckdb.DuckDBPyConnection, path: Path, options: ReportOptions | None = None) -> int:
    """Write the page; an earlier file is replaced when the new one is complete.

    Args:
        connection: the store, open for reading.
        path: the file.
        options: what to show.

    Returns:
        Its size in bytes.

    Raises:
        SourceError: a model or dataset that is not there was asked for, or the folder does not exist.
        StoreError: the store's tables are not as expected.
    """
    if not path.parent.is_dir():
        raise SourceError(f"{path.parent} is not a folder; create it, or name another place for the report")
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name a file, such as {path / 'report.html'}")
    # The libraries take seconds to be put together, in which the store can answer.
    with ThreadPoolExecutor(1) as executor:
        script = executor.submit(vega.javascript)
        content = content_of(Tables(connection), options or ReportOptions())
        html = page.html(content, script.result())
    written = html.encode("utf-8")
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(written)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return len(written)


def content_of(tables: Tables, options: ReportOptions) -> page.Content:
    """Everything that the page says, before it is HTML."""
    known = tables.runs()
    evaluated = [] if tables.missing(["memorization_by_category"]) else tables.ask("samples").dicts()
    samples = [row["sample"] for row in evaluated]
    if options.dataset is not None:
        first = [row["sample"] for row in evaluated if options.dataset in (row["dataset"], row["sample"])]
        if not first:
            raise SourceError(
                f"no dataset {options.dataset!r} was evaluated; there are: {', '.join(samples) or 'none'}"
            )
        samples = first + [sample for sample in samples if sample not in first]
    shown = _shown(known, options.models)
    focus = _focus(tables, samples, shown, known) if shown else None
    if focus and focus.sample:
        samples = [focus.sample, *(sample for sample in samples if sample != focus.sample)]
    answers: dict[str, Answer] = {}
    for section in SECTIONS:
        for figure in section.figures:
            if not tables.missing(figure.needs) and figure.question not in answers:
                answers[figure.question] = tables.ask(figure.question, shown)
    return page.Content(
        findings=findings(tables, focus) if focus else {},
        focus=focus,
        samples=samples,
        runs=[row for row in known if row["run"] in set(shown)],
        left_out=[row["run"] for row in known if row["run"] not in set(shown)],
        taxonomy_of=taxonomy_datasets(tables, shown),
        sections=SECTIONS,
        answers=answers,
        missing={name for section in SECTIONS for figure in section.figures for name in tables.missing(figure.needs)},
        about=about(tables, _target()),
    )


def _shown(known: Sequence[Row], asked: Sequence[str]) -> list[str]:
    """The models and checkpoints whose details are shown, from the smallest and earliest on."""
    if asked:
        unknown = [name for name in asked if not any(name in (row["run"], row["model"]) for row in known)]
        if unknown:
            there = ", ".join(row["run"] for row in known) or "none"
            raise SourceError(f"no evaluated model {', '.join(map(repr, unknown))}; there are: {there}")
        kept = {row["run"] for row in known if row["run"] in asked}
        models = [checkpoints for model, checkpoints in _checkpoints(known).items() if model in asked]
        for checkpoints in models:
            kept |= set(_spread(checkpoints, max(1, MOST_NAMED // len(models))))
    else:
        largest_first = list(reversed(_checkpoints(known).values()))
        kept = {checkpoints[-1] for checkpoints in largest_first[:MOST_RUNS]}
        for checkpoints in largest_first[:MOST_RUNS]:
            # Its last is among them.
            kept |= set(_spread(checkpoints, MOST_RUNS - len(kept) + 1))
    return [row["run"] for row in known if row["run"] in kept]


def _checkpoints(known: Sequence[Row]) -> dict[str, list[str]]:
    """The checkpoints of each model in the order of training; the models in that of their last ones."""
    own: dict[str, list[str]] = {}
    for row in known:
        own[row["model"]] = [*own.pop(row["model"], []), row["run"]]
    return own


def _spread(items: Sequence[str], n: int) -> list[str]:
    """So many of the items, from the first to the last as far apart as can be; of one, the last."""
    if len(items) <= n:
        return list(items)
    return [items[-1 - round(place * (len(items) - 1) / max(1, n - 1))] for place in range(n)]


def _focus(tables: Tables, samples: Sequence[str], shown: Sequence[str], known: Sequence[Row]) -> Focus:
    """What the page opens with: of the first dataset in which one that is shown was evaluated, the largest and last of these."""
    if samples:
        evaluated = {(row["sample"], row["run"]) for row in tables.ask("findings_shares").dicts()}
        for sample in samples:
            own = [run for run in shown if (sample, run) in evaluated]
            if own:
                return Focus(sample, own[-1], known)
    return Focus(None, shown[-1], known)


def _target() -> Path | None:
    try:
        return project.project_folder() / os.environ.get("DBT_TARGET_PATH", "target")
    except ProjectError:
        return None


def _umask() -> int:
    # It can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
