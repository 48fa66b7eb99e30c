"""Evidence from a corpus on the terminal: places, each with what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtax.plain_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from memtax.corpus.context import Place
    from memtax.corpus.occurrences import Occurrences


def evidence_console() -> Console:
    """A console that marks what was found by colour, where there is one, and wraps nothing where there is no terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, emoji=False, markup=False)


def times(n: int, what: str) -> str:
    """A number of things, in words."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def print_counts(text: str, n_tokens: int, found: Occurrences) -> None:
    """What was asked for, and how often it occurs."""
    console = evidence_console()
    console.print(f"{printable(text)} ({n_tokens} tokens)")
    console.print(f"{times(found.occurrences, 'occurrence')} in {times(found.sequences, 'sequence')}", style="bold")


def print_places(places: Sequence[Place], sequences: int) -> None:
    """A line for each place, the run itself between ⟦ and ⟧, and how many more sequences hold it.

    Text of a corpus may be hostile, so nothing of it reaches the terminal that the terminal would act upon.
    """
    from rich.text import Text

    console = evidence_console()
    for place in places:
        line = Text(f"  sequence {place.sequence_id}, first at token {place.token_offset}")
        if place.match:
            line.append(": …" + printable(place.before))
            # Marked by more than colour, which a file and many a reader do not see.
            line.append("⟦" + printable(place.match) + "⟧", style="bold green")
            line.append(printable(place.after) + "…")
        console.print(line)
    if sequences > len(places) > 0:
        console.print(f"  … and {times(sequences - len(places), 'more sequence')}")
