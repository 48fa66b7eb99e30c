"""The last section: the data and the run, as tables."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from memtax import __version__, project
from memtax.report.tables import Answer, Tables

RUN_RESULTS = "run_results.json"


@dataclass(frozen=True)
class StaticTable:
    """A table as text.

    Attributes:
        title: above it.
        columns: their headings.
        rows: their cells.
        sql: the question, where it is one.
        note: more to say.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    sql: str | None = None
    note: str | None = None
    missing: Sequence[str] = field(default_factory=tuple)


QUESTIONS = (
    ("Corpora", "corpora", "dim_corpora"),
    ("Models and checkpoints", "models", "dim_models"),
    ("Datasets", "datasets", "memorization_by_category"),
)


def about(tables: Tables, target: Path | None) -> list[StaticTable]:
    """Corpora, models, datasets, rows of every mart, vars, versions and tests.

    Args:
        tables: the store's.
        target: dbt's target folder, where the record of its last run is; None where there is no project.
    """
    made = []
    for title, question, mart in QUESTIONS:
        if tables.missing([mart]):
            made.append(StaticTable(title, (), (), missing=[mart]))
        else:
            made.append(_of_answer(title, tables.ask(question)))
    counts = tables.row_counts()
    made.append(StaticTable("Rows of the marts", ("table", "rows"), [(name, counts[name]) for name in sorted(counts)]))
    made += _settings(tables)
    made.append(_versions())
    made.append(_tests(target))
    return made


def _of_answer(title: str, answer: Answer) -> StaticTable:
    return StaticTable(title, [name.replace("_", " ") for name in answer.columns], answer.rows, answer.sql)


def _settings(tables: Tables) -> list[StaticTable]:
    made = []
    if not tables.missing(["taxonomy_models"]):
        answer = tables.ask("settings")
        rows = [
            (kind, name, _plain(value))
            for kind, recorded in answer.rows
            for name, value in sorted(json.loads(recorded).items())
        ]
        made.append(
            StaticTable(
                "Vars and versions of the taxonomy, as recorded with it", ("of", "name", "value"), rows, answer.sql
            )
        )
    try:
        declared = project.project_vars()
    except project.ProjectError:
        return made
    vars_declared = [(name, _plain(value)) for name, value in sorted(declared.items())]
    note = (
        "As declared in dbt_project.yml when this page was made; what was given to dbt with --vars is not among them."
    )
    made.append(StaticTable("Vars of the project", ("var", "value"), vars_declared, note=note))
    return made


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _versions() -> StaticTable:
    rows = [("memtax", __version__), ("duckdb", duckdb.__version__), ("Python", platform.python_version())]
    return StaticTable("Versions that made this page", ("program", "version"), rows)


def _tests(target: Path | None) -> StaticTable:
    """What dbt recorded of its last run. It names no database, so that only its time says whether it was this one's."""
    title = "Tests of the data"
    path = target / RUN_RESULTS if target else None
    if path is None or not path.is_file():
        return StaticTable(
            title, (), (), note="dbt left no record of a run here: dbt build runs the tests, and leaves one."
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        results = [(result["unique_id"].split(".")[0], result["status"]) for result in record["results"]]
        when, command = record["metadata"]["generated_at"], record["args"].get("which", "")
        elapsed = float(record["elapsed_time"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return StaticTable(
            title, (), (), note=f"dbt's record {path.name} cannot be read ({error!r}): run dbt build again."
        )
    counts = Counter(results)
    rows = [(kind, status, n) for (kind, status), n in sorted(counts.items())]
    note = (
        f"Of the last run that dbt recorded beside the project: dbt {command}, {when}, {elapsed:.0f} s. The record does "
        "not say into which database it wrote."
    )
    if not any(kind in ("test", "unit_test") for kind, _ in results):
        note += " It ran no tests: dbt build does."
    return StaticTable(title, ("what", "outcome", "number"), rows, note=note)
