"""The native kernel beside the reference: both sets of rules over a batch of texts, on all cores."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from udf.settings import available_threads
from udf.templating import rules
from udf.templating.items import NAMES
from udf.templating.paper import paper_flags

KIND_NAMES = ("", "counter", "repeat")  # the kernel's numbering
_PAPER_INCREMENTING, _PAPER_REPEATING, _PAPER_UNKNOWN = 1, 2, 4


class Columns(NamedTuple):
    """What was found in each row of a batch; rows where nothing was found, and NULL rows, have `kind` 0.

    Attributes:
        kind: an index of `KIND_NAMES`.
        period: characters of the unit.
        step: what the counter adds.
        coverage: share of the text, 0 to 1.
        paper_incrementing: the paper's flag.
        paper_repeating: the paper's flag.
    """

    kind: np.ndarray
    period: np.ndarray
    step: np.ndarray
    coverage: np.ndarray
    paper_incrementing: np.ndarray
    paper_repeating: np.ndarray


def find(texts: pa.Array) -> Columns:
    """Run the kernel over a batch, and the reference on the rows that the kernel leaves to it.

    Raises:
        ImportError: the extension was not built; the reference never stands in for it, since it is 200 times slower.
    """
    return _find_with_kernel(texts, import_module("memtax_native._text"))


def _find_with_kernel(texts: pa.Array, module: ModuleType) -> Columns:
    # Without NULLs the offsets of one row end where the next begins, and there is nothing in between.
    filled = texts.fill_null("").cast(pa.large_string())
    offsets = np.frombuffer(filled.buffers()[1], dtype=np.int64)[filled.offset : filled.offset + len(filled) + 1]
    data = filled.buffers()[2]
    kind, period, step, coverage, paper = _native_rules(module).find(
        offsets, memoryview(data) if data is not None else b"", available_threads()
    )
    incrementing, repeating = (paper & _PAPER_INCREMENTING) != 0, (paper & _PAPER_REPEATING) != 0
    for row in np.flatnonzero(paper & _PAPER_UNKNOWN):
        incrementing[row], repeating[row] = paper_flags(filled[int(row)].as_py())
    return Columns(kind, period, step, coverage, incrementing, repeating)


def find_with_reference(texts: pa.Array) -> Columns:
    """What the kernel must return, from the plain rules: what the tests hold it to."""
    patterns = [rules.find_pattern(text or "") for text in texts.to_pylist()]
    flags = [paper_flags(text or "") for text in texts.to_pylist()]
    return Columns(
        np.array([KIND_NAMES.index(pattern.kind) if pattern else 0 for pattern in patterns], dtype=np.uint8),
        np.array([pattern.period if pattern else 0 for pattern in patterns], dtype=np.int32),
        np.array([pattern.step or 0.0 if pattern else 0.0 for pattern in patterns], dtype=np.float64),
        np.array([pattern.coverage if pattern else 0.0 for pattern in patterns], dtype=np.float64),
        np.array([incrementing for incrementing, _ in flags], dtype=bool),
        np.array([repeating for _, repeating in flags], dtype=bool),
    )


@cache
def _native_rules(module: ModuleType) -> Any:
    return module.Rules(
        templating_share=rules.TEMPLATING_SHARE,
        repeats=rules.REPEATS,
        counter_repeats_more_than=rules.COUNTER_REPEATS_MORE_THAN,
        counter_moves=rules.COUNTER_MOVES,
        stretch_characters=rules.STRETCH_CHARACTERS,
        longest_period=rules.LONGEST_PERIOD,
        names=NAMES,
        special=_special_ranges(),
    )


def _special_ranges() -> list[tuple[int, int]]:
    """The code points beyond ASCII that Python's own tables decide on: white space, digits, what repr() escapes."""
    ranges: list[tuple[int, int]] = []
    for point in range(0x80, sys.maxunicode + 1):
        character = chr(point)
        if character.isprintable() and not character.isspace() and not character.isdecimal():
            continue
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1] = (ranges[-1][0], point)
        else:
            ranges.append((point, point))
    return ranges
