"""What was found, in words that the numbers support: a difference is claimed only where its 95 % interval leaves out 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from memtax.report.tables import Tables
from memtax.taxonomy.words import comparison_sentences

CATEGORIES = ("recitation", "reconstruction", "recollection")
Row = Mapping[str, Any]
MOST_DATASETS = 6


@dataclass(frozen=True)
class Focus:
    """What the findings are of.

    Attributes:
        sample: a dataset, as `DATASET in CORPUS`; None where none was evaluated.
        run: a model and checkpoint, as `MODEL@REVISION`.
        runs: all of them, from the smallest and earliest on, as rows of `sql/runs.sql`.
    """

    sample: str | None
    run: str
    runs: Sequence[Row]


def findings(tables: Tables, focus: Focus) -> dict[str, list[str]]:
    """Sentences on how much is memorized, of what, and how well that is predicted, under headings; none where none can be said.

    Args:
        tables: the store's.
        focus: the model and checkpoint that they are of.
    """
    memorized: list[str] = []
    compared: list[str] = []
    taxonomy: list[str] = []
    weights: list[str] = []
    if not tables.missing(["memorization_by_category"]):
        shares = _of(_shares(tables), sample=focus.sample)
        # Where a model has memorized all, windows were chosen for that: of no model do they say what is memorized in general.
        whole = _of(shares, text_kind="all", category="all")
        chosen_by = [row for row in whole if _is_all_memorized(row)]
        memorized = _how_much(shares, focus, chosen_by) + _categories(shares, focus)
        if not chosen_by:
            compared = _by_duplicates(tables, focus) + _code_and_language(shares, focus)
            compared += _larger_model(shares, focus) + _later_checkpoint(shares, focus)
    if not tables.missing(["taxonomy_comparisons"]):
        taxonomy = _taxonomy(tables, focus)
    if not tables.missing(["taxonomy_models"]):
        weights = [_coefficient(row) for row in _of(tables.ask("findings_coefficients").dicts(), run=focus.run)]
    # The taxonomy is of all its datasets, whichever the page opens with.
    named = taxonomy_datasets(tables, [focus.run])
    of_them = f" (windows of {named})" if named else ""
    said = {
        "How much is memorized": memorized,
        "What is memorized more often": compared,
        f"Does the taxonomy predict it better?{of_them}": taxonomy,
        f"What weighs most in each category{of_them}": weights,
    }
    return {heading: sentences for heading, sentences in said.items() if sentences}


def taxonomy_datasets(tables: Tables, runs: Sequence[str]) -> str:
    """The datasets whose windows the taxonomy of some models and checkpoints is of, in words; nothing where that is not known."""
    if tables.missing(["intermediate.int_taxonomy__datasets"]):
        return ""
    rows = [row for row in tables.ask("taxonomy_datasets").dicts() if row["run"] in set(runs)]
    names = list(dict.fromkeys(row["dataset"] for row in rows))
    return ", ".join(names[:MOST_DATASETS]) + (
        f" and {len(names) - MOST_DATASETS} others" if names[MOST_DATASETS:] else ""
    )


def _taxonomy(tables: Tables, focus: Focus) -> list[str]:
    rows = _of(tables.ask("findings_comparisons").dicts(), run=focus.run)
    made_under = [] if tables.missing(["taxonomy_models"]) else tables.ask("findings_protocols").dicts()
    if not rows and _of(made_under, run=focus.run, protocol="paper"):
        return [
            "That is not said under the protocol paper, which has no measure with an interval and compares nothing in pairs."
        ]
    return comparison_sentences([row for row in rows if row["difference"] is not None])


def _shares(tables: Tables) -> list[Row]:
    """Counts and shares, each with the number of windows of which it is not known whether they are memorized."""
    unknown = (
        {}
        if tables.missing(["features"])
        else {(row["sample"], row["run"]): row["n_unknown"] for row in tables.ask("findings_unknown").dicts()}
    )
    return [
        row | {"n_unknown": unknown.get((row["sample"], row["run"]), 0)}
        for row in tables.ask("findings_shares").dicts()
    ]


def difference(first: Row, second: Row) -> tuple[float, float, float]:
    """The second row's P(memorized) less the first's, with Newcombe's 95 % interval, made of the two Wilson intervals.

    Of rows that share windows it is wider than it need be: what it claims, it may.

    Returns:
        difference, low, high.
    """
    p, low, high = (float(first[name]) for name in ("p_memorized", "p_memorized_low", "p_memorized_high"))
    q, other_low, other_high = (float(second[name]) for name in ("p_memorized", "p_memorized_low", "p_memorized_high"))
    gap = q - p
    return gap, gap - sqrt((q - other_low) ** 2 + (high - p) ** 2), gap + sqrt((other_high - q) ** 2 + (p - low) ** 2)


def _how_much(shares: Sequence[Row], focus: Focus, chosen_by: Sequence[Row]) -> list[str]:
    whole = _of(shares, run=focus.run, text_kind="all", category="all")
    if not whole:
        return []
    row = whole[0]
    known, unknown = row["n_sequences"], row["n_unknown"]
    if _is_all_memorized(row) and not unknown:
        return [
            f"All {known:,} windows of {focus.sample} are memorized by {focus.run}: it is a set of memorized windows, and says "
            "nothing of how many others there are."
        ]
    if _is_all_memorized(row):
        return [
            f"Whether {focus.run} has memorized them is known for {known:,} of {known + unknown:,} windows of {focus.sample}. "
            "These it has; that says nothing of how many of the others it has."
        ]
    of_all = (
        f" of {known + unknown:,} windows of {focus.sample} of which it is known"
        if unknown
        else f" windows of {focus.sample}"
    )
    found = f"Of {known:,}{of_all}, {focus.run} has memorized {row['n_memorized']:,}"
    if not chosen_by:
        return [f"{found}: {_with_interval(row)}."]
    chooser = chosen_by[-1]
    if chooser["n_unknown"]:
        return [
            f"{found}. All of which it is known for {chooser['run']} are memorized by it: they may have been chosen for that."
        ]
    return [
        f"{found}. All of them are memorized by {chooser['run']}: it is a set of windows that were chosen for that."
    ]


def _categories(shares: Sequence[Row], focus: Focus) -> list[str]:
    rows = [row for name in CATEGORIES for row in _of(shares, run=focus.run, text_kind="all", category=name)]
    memorized = [row for row in rows if row["n_memorized"]]
    if not memorized:
        return []
    chosen = any(map(_is_all_memorized, _of(shares, text_kind="all", category="all")))
    parts = "; ".join(
        f"{row['n_memorized']:,} are of {row['category']} ({100 * row['share_of_memorized']:.0f} %)"
        + ("" if chosen else f", of whose windows {_with_interval(row)} are memorized")
        for row in memorized
    )
    return [f"Of those memorized, {parts}."]


def _by_duplicates(tables: Tables, focus: Focus) -> list[str]:
    if tables.missing(["memorization_by_duplicates"]):
        return []
    ends = _of(tables.ask("findings_by_duplicates").dicts(), run=focus.run, sample=focus.sample)
    if len(ends) < 2:
        return []
    low, high = ends
    return [
        _compared(
            low,
            high,
            f"continuations that occur {_range(low)}",
            f"those that occur {_range(high)}",
            "P(memorized) rises with repetition",
            "P(memorized) falls with repetition",
            "Repetition makes no difference that these rows can tell",
        )
    ]


def _code_and_language(shares: Sequence[Row], focus: Focus) -> list[str]:
    code, language = (
        _of(shares, run=focus.run, text_kind=kind, category="all") for kind in ("code", "natural language")
    )
    if not code or not language:
        return []
    return [
        _compared(
            language[0],
            code[0],
            "windows of natural language",
            "windows of code",
            "Code is memorized more often than natural language",
            "Code is memorized less often than natural language",
            "Code and natural language cannot be told apart by how often they are memorized",
        )
    ]


def _larger_model(shares: Sequence[Row], focus: Focus) -> list[str]:
    last = {row["model"]: row for row in focus.runs if row["model_size"] is not None}
    if len({row["model_size"] for row in last.values()}) < 2:
        return []
    ordered = sorted(last.values(), key=lambda row: (row["model_size"], row["model"]))
    return _between(
        shares,
        ordered[0]["run"],
        ordered[-1]["run"],
        "The larger model memorizes more",
        "The larger model memorizes less",
    )


def _later_checkpoint(shares: Sequence[Row], focus: Focus) -> list[str]:
    model = next(row["model"] for row in focus.runs if row["run"] == focus.run)
    own = [row["run"] for row in focus.runs if row["model"] == model]
    if len(own) < 2:
        return []
    return _between(
        shares, own[0], own[-1], "More is memorized as training goes on", "Less is memorized as training goes on"
    )


def _between(shares: Sequence[Row], first: str, second: str, rises: str, falls: str) -> list[str]:
    ends = [_of(shares, run=run, text_kind="all", category="all") for run in (first, second)]
    if not all(ends) or any(_is_all_memorized(rows[0]) for rows in ends):
        return []
    unknown = f"{first} and {second} cannot be told apart by how much they have memorized"
    return [_compared(ends[0][0], ends[1][0], f"windows with {first}", f"those with {second}", rises, falls, unknown)]


def _compared(first: Row, second: Row, one: str, other: str, rises: str, falls: str, unknown: str) -> str:
    gap, low, high = difference(first, second)
    verdict = rises if low > 0 else falls if high < 0 else unknown
    numbers = f"{_with_interval(first)} of {one}, {_with_interval(second)} of {other}"
    digits = _digits(low, high)
    interval = f"95 % interval {100 * low:+.{digits}f} to {100 * high:+.{digits}f}"
    return f"{verdict}: {numbers} (difference {100 * gap:+.{digits}f} points, {interval})."


def _coefficient(row: Row) -> str:
    value, low, high = (row[name] for name in ("standardized_coefficient", "standardized_low", "standardized_high"))
    rivals = f" Its interval overlaps that of {row['rivals']}." if row["rivals"] else ""
    return (
        f"In {row['scope']}, of the features whose interval leaves out 0, {row['feature']} has the largest coefficient: a "
        f"standard deviation more goes with a change in the log-odds of memorization by {value:+.2f} (95 % interval {low:+.2f} "
        f"to {high:+.2f}; {row['n_train_memorized']:,} of {row['n_train_rows']:,} windows memorized), the other features "
        f"being equal.{rivals}"
    )


def _is_all_memorized(row: Row) -> bool:
    return bool(row["n_memorized"] == row["n_sequences"])


def _with_interval(row: Row) -> str:
    low, high = row["p_memorized_low"], row["p_memorized_high"]
    digits = _digits(low, high)
    return f"{100 * row['p_memorized']:.{digits}f} % ({100 * max(low, 0):.{digits}f}–{100 * high:.{digits}f})"


def _digits(low: float, high: float) -> int:
    """After the point, of per cent: enough to tell the ends of an interval apart."""
    return 1 if high - low > 0.001 else 3


def _range(row: Row) -> str:
    first, last = row["duplicates_from"], row["duplicates_to"]
    if first == last == 1:
        return "once"
    return f"{first:,} times" if first == last else f"{first:,}–{last:,} times"


def _of(rows: Sequence[Row], **values: Any) -> list[Row]:
    return [row for row in rows if all(row[name] == value for name, value in values.items())]
