"""What a section of the report is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from memtax.report.tables import Answer

# What the reader chooses above the figures: a dataset, a model and checkpoint, or (by that) a model at all its checkpoints.
Choice = Literal["sample", "run", "model"]
BUILD = "dbt run"


@dataclass(frozen=True)
class Figure:
    """A chart, with the question that it answers.

    Attributes:
        name: names the figure in links and downloads.
        title: says what is shown.
        reading: a sentence or two on how to read it.
        question: the file in `sql/`.
        needs: the marts that it reads.
        draw: makes the Altair chart of the answer, over the data named `rows`; called only where there are rows.
        follows: the columns by which the reader's choices filter the rows.
        empty: where there are no rows, at all or of a choice: why.
        command: what makes some.
        note: more to say about the rows of one choice, if anything.
    """

    name: str
    title: str
    reading: str
    question: str
    needs: Sequence[str]
    draw: Callable[[Answer], Any]
    follows: Sequence[Choice] = ()
    empty: str = "Of no window is it known whether the model has memorized it."
    command: str = BUILD
    note: Callable[[Answer], str | None] = lambda answer: None


@dataclass(frozen=True)
class Section:
    """Figures on one subject.

    Attributes:
        name: of the link to it.
        short: what the link says.
        title: its heading.
        figures: in order.
        of_taxonomy: whether they are of the windows that the taxonomy is trained and tested on, whichever dataset is chosen.
    """

    name: str
    short: str
    title: str
    figures: Sequence[Figure]
    of_taxonomy: bool = False
