"""Random sequences and windows of the kinds that a counting kernel can get wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

# Around every length at which the kernels change their way: the gram, and the run of grams that a window is covered by.
LENGTHS = [8, 9, 11, 12, 15, 16, 17, 22, 23, 24, 31, 32, 33, 38, 39, 40, 48, 63, 64, 70, 71, 72, 100, 127, 128]


@dataclass(frozen=True)
class Case:
    """Windows to count and sequences to count them in, with the types that they are passed in."""

    length: int
    windows: list[list[int]]
    sequences: list[list[int]]
    window_dtype: type
    value_dtype: type

    def window_array(self) -> np.ndarray:
        return np.array(self.windows, dtype=self.window_dtype).reshape(-1, self.length)

    def values(self) -> np.ndarray:
        return np.array([token for row in self.sequences for token in row], dtype=self.value_dtype)

    def offsets(self, dtype: type = np.int64) -> np.ndarray:
        return np.cumsum([0, *(len(row) for row in self.sequences)]).astype(dtype)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Constant, periodic and random sequences, and windows from both ends, from within and from elsewhere."""
    length = draw(st.sampled_from(LENGTHS))
    window_dtype, value_dtype = (draw(st.sampled_from([np.uint16, np.uint32])) for _ in range(2))
    alphabet = draw(st.sampled_from([[0], [1, 2], list(range(50)), [0, 65_535]]))
    wide = [*alphabet, 65_536, 65_536 + alphabet[-1], 2**32 - 1]
    tokens = {np.uint16: alphabet, np.uint32: draw(st.sampled_from([alphabet, wide]))}
    sequences = draw(st.lists(_sequence(tokens[value_dtype], length), max_size=4))
    windows = draw(st.lists(_run(tokens[window_dtype], st.just(length)), max_size=4))
    for row in sequences:
        if len(row) < length:
            continue
        last = len(row) - length
        for at in [0, last, *draw(st.lists(st.integers(0, last), max_size=5))]:
            window = row[at : at + length]
            if max(window) <= np.iinfo(window_dtype).max:
                windows.extend([window] * draw(st.integers(0, 2)))
    return Case(length, windows, sequences, window_dtype, value_dtype)


def _sequence(tokens: list[int], length: int) -> st.SearchStrategy[list[int]]:
    sizes = st.sampled_from([0, 1, length - 1, length, length + 1, 2 * length, 300]) | st.integers(0, 500)
    return _run(tokens, sizes)


@st.composite
def _run(draw: st.DrawFn, tokens: list[int], sizes: st.SearchStrategy[int]) -> list[int]:
    size = draw(sizes)
    period = draw(st.sampled_from([1, 2, 3, 7, 8, 9, 25, 1000]))
    # A seed, not a list: hypothesis is slow with hundreds of single tokens, and they need no shrinking.
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    pattern = random.choice(np.array(tokens, dtype=np.uint64), size=min(period, max(size, 1)))
    return [int(token) for token in np.resize(pattern, size)]
