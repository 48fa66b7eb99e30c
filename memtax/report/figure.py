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
        empty: where there are no rows: why, and the command that makes some.
        command: that command.
        note: more to say about the answer, if anything.
    """

    name: str
    title: str
    reading: str
    question: str
    needs: Sequence[str]
    draw: Callable[[Answer], Any]
    follows: Sequence[Choice] = ()
    empty: str = "There is nothing to show yet."
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
    """

    name: str
    short: str
    title: str
    figures: Sequence[Figure]
