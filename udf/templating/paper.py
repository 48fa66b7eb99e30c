"""The paper's templating filter, as published: the slow and obvious reference of the `paper_` flags.

Written from the contract's description ("Templating (paper)" in the design), and held to the parity columns of the
annotated sequences by a test. Its faults are kept: the ends that it drops whether or not they are partial, the step
that outlives a stride that failed, and `c - 2b + a` without an absolute value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

Item = int | str

# The parts of repr() that the filter takes out of each word, in this order.
_REPR_NOISE = ("\\n", "\\x", "\\", '"', "'")
_THREE_ITEMS_TOLERANCE = 1e-5
_DIFFERENCE_TOLERANCE = 1e-10


def paper_flags(text: str) -> tuple[bool, bool]:
    """`(paper_is_incrementing, paper_is_repeating)` of one text; never both."""
    incrementing, _ = _follow(paper_items(text))
    if incrementing:
        return True, False
    _, constant = _follow(text)
    return False, constant


def paper_items(text: str) -> list[Item]:
    """The words of the text as the filter sees them, cut into runs of digits (integers) and the rest (strings)."""
    words = [_as_decimal(word) for word in re.sub(r"\s+", " ", text).split(" ")]
    items: list[Item] = []
    for word in repr(" ".join(words)).split(" "):
        for noise in _REPR_NOISE:
            word = word.replace(noise, "")
        items.extend(_as_item(piece) for piece in re.split(r"(\d+)", word) if piece)
    return items


def _as_decimal(word: str) -> str:
    try:
        return str(int(word, 0))
    except ValueError:  # no integer, or one of more digits than Python converts
        return word


def _as_item(piece: str) -> Item:
    if not piece.isdecimal():
        return piece
    try:
        return int(piece)
    except ValueError:  # more digits than Python converts: compared as text
        return piece


def _follow(items: Sequence[Item]) -> tuple[bool, bool]:
    """`(incrementing, constant)`: whether interleaved progressions, or equal values, explain the items."""
    if len(items) < 3:
        return False, False
    if len(items) == 3:
        return _three_increment(items), False
    if len(items) > 4:
        items = items[1:-1]
    step: int | None = None
    for stride in range(1, len(items) // 2 + 1):
        holds, compared = True, False
        for lane_start in range(stride):
            lane = items[lane_start::stride]
            difference = _lane_difference(lane)
            if difference is None:
                holds = False
                break
            compared |= isinstance(lane[0], int) and len(lane) > 2
            if step is None and difference != 0:
                step = difference
        if holds:
            return (False, True) if step is None else (compared, False)
    return False, False


def _three_increment(items: Sequence[Item]) -> bool:
    first, second, third = items
    if isinstance(first, str) or isinstance(second, str) or isinstance(third, str):
        return False
    return third - 2 * second + first < _THREE_ITEMS_TOLERANCE and third != second


def _lane_difference(lane: Sequence[Item]) -> int | None:
    """The common difference of a lane (0 for equal strings); None if the lane mixes types or does not hold."""
    first = lane[0]
    if isinstance(first, str):
        return 0 if all(item == first for item in lane) else None
    difference: int | None = None
    for before, after in pairwise(lane):
        if isinstance(before, str) or isinstance(after, str):
            return None
        if difference is None:
            difference = after - before
        elif abs(after - before - difference) > _DIFFERENCE_TOLERANCE:
            return None
    return difference
