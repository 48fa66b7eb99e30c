"""The rules of the plain templating flags: the slow and obvious reference that the native kernel must equal.

A pattern is a lag: the text is compared with itself a number of items earlier. Where every item equals the one before
it, or goes on a counter's step, there is a stretch; the stretches of one lag make up the share of the text that the
pattern covers. Interruptions, partial ends, wrap-arounds and carries end a stretch and begin the next, so that they
cost only what they are. The best lag wins; the text is templated if it is covered for the most part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from udf.templating.items import DECIMAL, DECIMAL_SCALE, WHITE_SPACE, Item, has_mixed_hexadecimal, split

# The share of the text from which people call the whole text templated. On the annotated sequences every value from
# 0.6 to 0.75 gives about the same F1; this lies inside.
TEMPLATING_SHARE = 0.65
# A unit seen three times is a pattern; twice is how ordinary prose and code repeat themselves. A counter has its three
# values as soon as its third repeat begins.
REPEATS = 3
COUNTER_REPEATS_MORE_THAN = 2
# Two confirmed moves are three values a step apart: fewer would make a counter of any two numbers.
COUNTER_MOVES = 2
# Shorter stretches come about by chance in digits and punctuation, unless they are half of a short text.
STRETCH_CHARACTERS = 12
# Time grows with the square of a text's items; the texts of 64-token windows never come near.
LONGEST_PERIOD = 1024
_CHARACTER = re.compile(rf"[{WHITE_SPACE}]+|.", re.DOTALL)


class Pattern(NamedTuple):
    """What was found in a text.

    Attributes:
        kind: `counter` or `repeat`.
        period: characters of the first unit.
        step: what the first counter adds from unit to unit (letters, names: places in their series); None if `repeat`.
        coverage: the share of the text that follows the pattern, 0 to 1; a run of white space counts as one character.
    """

    kind: str
    period: int
    step: float | None
    coverage: float

    @property
    def is_templating(self) -> bool:
        """Whether the pattern covers enough of the text to be what the text is."""
        return self.coverage >= TEMPLATING_SHARE


class Match(NamedTuple):
    """A pattern where it was found.

    Attributes:
        pattern: what it is.
        spans: (first, one past the last) of each run of characters that follows it, in order and apart.
    """

    pattern: Pattern
    spans: tuple[tuple[int, int], ...]


def find_pattern(text: str) -> Pattern | None:
    """The pattern that covers the most of a text; a repeat wins ties. None if there is none, or only white space."""
    found = find_match(text)
    return None if found is None else found.pattern


def find_match(text: str) -> Match | None:
    """`find_pattern`, with the places that the pattern covers."""
    if not text.strip(WHITE_SPACE):
        return None
    best = _best_of_items(split(text))
    if best is None or not best.pattern.is_templating:
        # Only now, as they are costly or bold: units inside words, and hexadecimal numbers without a prefix.
        best = _better(best, _best_of_characters(text))
        if has_mixed_hexadecimal(text):
            best = _better(best, _best_of_items(split(text, bare_hexadecimal=True)))
    return best


class _Stretch(NamedTuple):
    start: int
    end: int  # one past the last


def _better(first: Match | None, second: Match | None) -> Match | None:
    if first is None or second is None:
        return first or second
    return second if second.pattern.coverage > first.pattern.coverage else first


def _best_of_items(items: Sequence[Item]) -> Match | None:
    sizes = [item.size for item in items]
    total = sum(sizes)
    series = _series(items)
    lengths = [item.length for item in items]
    repeat: Match | None = None
    counter: Match | None = None
    for lag in _lags(len(items)):
        equal = [False] * lag + [items[i].text == items[i - lag].text for i in range(lag, len(items))]
        stretches = _stretches(equal, sizes, total, lag, REPEATS * lag)
        if stretches:
            found = Pattern(
                "repeat", _characters(items, stretches[0].start, lag), None, _covered(stretches, sizes) / total
            )
            repeat = _better(repeat, Match(found, _spans(stretches, lengths)))
        steps = _confirmed_steps(series, len(items), lag)
        if not any(steps):
            continue
        follows = [same or step is not None for same, step in zip(equal, steps, strict=True)]
        stretches = [
            stretch
            for stretch in _stretches(follows, sizes, total, lag, COUNTER_REPEATS_MORE_THAN * lag + 1)
            if len(_moves(steps, stretch, lag)) >= COUNTER_MOVES
        ]
        if stretches:
            found = Pattern(
                "counter",
                _characters(items, stretches[0].start, lag),
                _moves(steps, stretches[0], lag)[0],
                _covered(stretches, sizes) / total,
            )
            counter = _better(counter, Match(found, _spans(stretches, lengths)))
    return _better(repeat, counter)


def _best_of_characters(text: str) -> Match | None:
    # A run of white space is one space here too, or indentation alone would be a pattern.
    pieces = _CHARACTER.findall(text)
    characters = [" " if piece[0] in WHITE_SPACE else piece for piece in pieces]
    best: Match | None = None
    for lag in _lags(len(characters)):
        equal = [False] * lag + [before == after for before, after in zip(characters, characters[lag:], strict=False)]
        # A unit too long to be seen three times has to explain the whole text.
        shortest = 2 * lag if all(equal[lag:]) else REPEATS * lag
        stretches = _stretches(equal, [1] * len(characters), len(characters), lag, shortest)
        if stretches:
            period = sum(len(piece) for piece in pieces[stretches[0].start :][:lag])
            coverage = _covered(stretches, [1] * len(characters)) / len(characters)
            found = Pattern("repeat", period, None, coverage)
            best = _better(best, Match(found, _spans(stretches, [len(piece) for piece in pieces])))
    return best


class _Series(NamedTuple):
    """The values of all items in one kind of series (None where an item has no such reading)."""

    scale: int  # a value is this many times what it stands for
    values: list[int | None]


def _series(items: Sequence[Item]) -> list[_Series]:
    present = sorted({kind for item in items for kind in item.readings})
    return [
        _Series(DECIMAL_SCALE if kind == DECIMAL else 1, [item.readings.get(kind) for item in items])
        for kind in present
    ]


def _confirmed_steps(series: Sequence[_Series], count: int, lag: int) -> list[float | None]:
    """For each item, the step by which it goes on a counter; None where it does not.

    A step is confirmed by the same step in the unit before or after. An item with no unit before or after to compare
    may take a step that another counter of the text confirms.
    """
    steps: list[float | None] = [None] * count
    by_series = [(_differences(values, lag), scale) for scale, values in series]
    for differences, scale in by_series:
        for i in range(lag, count):
            difference = differences[i]
            if (
                steps[i] is None
                and difference
                and (difference == differences[i - lag] or (i + lag < count and difference == differences[i + lag]))
            ):
                steps[i] = difference / scale
    confirmed = {step for step in steps if step}
    for differences, scale in by_series:
        for i in range(max(lag, count - lag), min(2 * lag, count)):
            difference = differences[i]
            if steps[i] is None and difference and difference / scale in confirmed:
                steps[i] = difference / scale
    return steps


def _differences(values: Sequence[int | None], lag: int) -> list[int | None]:
    differences: list[int | None] = [None] * lag
    for before, after in zip(values, values[lag:], strict=False):
        differences.append(None if before is None or after is None else after - before)
    return differences


def _lags(count: int) -> range:
    return range(1, min(count // 2, LONGEST_PERIOD) + 1)


def _stretches(follows: Sequence[bool], sizes: Sequence[int], total: int, lag: int, shortest: int) -> list[_Stretch]:
    """Maximal runs that go on from the unit before, that unit included, of at least `shortest` items."""
    stretches = []
    i = lag
    while i < len(follows):
        if not follows[i]:
            i += 1
            continue
        start = i - lag
        while i < len(follows) and follows[i]:
            i += 1
        if i - start < shortest:
            continue
        size = sum(sizes[start:i])
        if size >= STRETCH_CHARACTERS or 2 * size >= total:
            stretches.append(_Stretch(start, i))
    return stretches


def _moves(steps: Sequence[float | None], stretch: _Stretch, lag: int) -> list[float]:
    """The steps that counters take within a stretch, after its first unit."""
    return [step for step in steps[stretch.start + lag : stretch.end] if step]


def _covered(stretches: Sequence[_Stretch], sizes: Sequence[int]) -> int:
    covered, done = 0, 0
    for start, end in stretches:
        covered += sum(sizes[max(start, done) : end])  # the unit before may be the tail of the last stretch
        done = end
    return covered


def _spans(stretches: Sequence[_Stretch], lengths: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The stretches in characters; those that touch or overlap are one."""
    starts = [0, *accumulate(lengths)]
    spans: list[tuple[int, int]] = []
    for first, end in stretches:
        start = starts[first]
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, starts[end]))
    return tuple(spans)


def _characters(items: Sequence[Item], start: int, lag: int) -> int:
    return sum(item.length for item in items[start : start + lag])
