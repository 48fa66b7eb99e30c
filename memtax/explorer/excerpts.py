"""What the list shows of a long text: the turn from prompt to continuation, and what was looked for wherever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from memtax.explorer.display import CONTINUATION_SHOWN, PROMPT_SHOWN, visible

Span = tuple[int, int]
"""From a character on, up to another."""


class Excerpt(NamedTuple):
    """Both halves of a window, cut, with what was found marked."""

    prompt: Markup
    continuation: Markup


def excerpt(
    text: str | None, prompt: str | None, continuation: str | None, wanted: str, within: str, *, match_case: bool
) -> Excerpt:
    """The end of the prompt and the beginning of the continuation; where what was found is in neither, its surroundings.

    Args:
        text: the whole window, which has a space between its halves if the tokenizer begins a text without one.
        prompt, continuation: the halves.
        wanted: what the text contains; empty if nothing was looked for.
        within: the column that was searched: `text`, which is both halves, or `prompt_text` or `continuation_text`.
        match_case: whether capitals count.
    """
    whole, turn = _joined(text or "", prompt or "", continuation or "")
    length = len(whole)
    searched = {"prompt_text": (0, turn), "continuation_text": (turn, length)}.get(within, (0, length))
    found = list(occurrences(whole, wanted, searched, match_case=match_case))
    cuts = [(max(0, turn - PROMPT_SHOWN), turn), (turn, min(length, turn + CONTINUATION_SHOWN))]
    # What lies on both sides of the turn is shown with it.
    if found and not any((cuts[0][0] <= start and end <= cuts[1][1]) or start < turn < end for start, end in found):
        start, end = found[0]
        half = 0 if end <= turn else 1
        bounds, room = ((0, turn), PROMPT_SHOWN) if half == 0 else ((turn, length), CONTINUATION_SHOWN)
        cuts[half] = _around(start, end, bounds, room)
    return Excerpt(
        _shown(whole, cuts[0], (0, turn), found),
        _shown(whole, cuts[1], (turn, length), found),
    )


def occurrences(text: str, wanted: str, searched: Span, *, match_case: bool) -> Iterator[Span]:
    """Where a part of the text has what was looked for, from its beginning on; none overlaps another."""
    if not wanted:
        return
    if not match_case:
        text, wanted = _lower(text), _lower(wanted)
    start, end = searched
    while (start := text.find(wanted, start, end)) >= 0:
        yield start, start + len(wanted)
        start += len(wanted)


def _joined(text: str, prompt: str, continuation: str) -> tuple[str, int]:
    """The halves as one text, and where the second begins."""
    halves = prompt + continuation
    fits = len(text) >= len(halves) and text.startswith(prompt) and text.endswith(continuation)
    return text if fits else halves, len(prompt)


def _lower(text: str) -> str:
    # As DuckDB's lower() does, character by character, so that a place in it is the same place in the text.
    return text.lower() if text.isascii() else "".join(character.lower()[0] for character in text)


def _around(start: int, end: int, bounds: Span, room: int) -> Span:
    """As much as there is room for, with a span in its middle; of one that is longer, the beginning."""
    first = start - max(0, room - (end - start)) // 2
    first = max(bounds[0], min(first, bounds[1] - room))
    return first, min(bounds[1], first + room)


def _shown(text: str, cut: Span, bounds: Span, found: Sequence[Span]) -> Markup:
    """A cut of a half, with dots where the half goes on and what was found marked, as far as it lies in the cut."""
    parts = ["…" if cut[0] > bounds[0] else ""]
    last = cut[0]
    for start, end in found:
        start, end = max(start, cut[0]), min(end, cut[1])
        if start < end:
            parts += [visible(text[last:start], line_ends=False)]
            parts += [Markup("<mark>{}</mark>").format(visible(text[start:end], line_ends=False))]
            last = end
    parts += [visible(text[last : cut[1]], line_ends=False), "…" if cut[1] < bounds[1] else ""]
    return Markup("").join(parts)
