"""The first page: how many sequences of which dataset each model has by heart, and of which category they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memtax.explorer.catalogue import Catalogue, label_of
from memtax.explorer.selection import Selection

CATEGORIES = ("recitation", "reconstruction", "recollection", "unknown")


@dataclass(frozen=True)
class Line:
    """One dataset and model.

    Attributes:
        selection: its rows.
        rows, memorized, known: all of them; those that are memorized; those of which that is known.
        by_category: memorized ones of each category that the store has.
    """

    selection: Selection
    rows: int
    memorized: int
    known: int
    by_category: Sequence[int]


def categories_of(catalogue: Catalogue) -> list[str]:
    """The categories that the store has, in the taxonomy's order."""
    return [name for name in CATEGORIES if name in catalogue.categories]


def lines(catalogue: Catalogue) -> list[Line]:
    """A line for each dataset and model, models from the smallest to the largest."""
    categories = categories_of(catalogue)
    found = []
    for dataset in catalogue.datasets:
        for model in catalogue.models:
            tally = catalogue.tallies.get((dataset, model))
            if tally is None:
                continue
            found.append(
                Line(
                    Selection(dataset=dataset, model=label_of(model)),
                    tally.rows,
                    tally.memorized,
                    tally.known,
                    [tally.by_category[category] for category in categories],
                )
            )
    return found
