"""What landed feature tables say of one sequence. They may differ in anything, so that each dataset is shown by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from memtax.category import Rule, is_landed, reason_of

_NAMES = ("dataset", "source_row")


@dataclass(frozen=True)
class Categorised:
    """A category that rows of `features` have, which their own counts and flags decide.

    Attributes:
        datasets: those with such rows.
        landed: whether they are of landed feature tables.
        category, reason: as of an `Explanation`.
    """

    datasets: Sequence[str]
    landed: bool
    category: str | None
    reason: str


def by_dataset_and_model(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Landed rows of `features`, one for each model and set of values; `datasets` are those that have them all alike."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        values = {name: value for name, value in row.items() if name not in _NAMES}
        # By how they are written: a NaN equals no other.
        found.setdefault(repr(values), values | {"datasets": []})["datasets"].append(row["dataset"])
    return list(found.values())


def categories(rows: Iterable[dict[str, Any]], rule: Rule) -> list[Categorised]:
    """The categories that rows of `features` have, each with the datasets of these rows."""
    found: dict[tuple[bool, str | None, str], list[str]] = {}
    for row in rows:
        said = (is_landed(row), row.get("category"), reason_of(row.get("category"), row, rule))
        datasets = found.setdefault(said, [])
        if row["dataset"] not in datasets:
            datasets.append(row["dataset"])
    return [Categorised(datasets, *said) for said, datasets in found.items()]
