"""Drawing without replacement, the same on every machine and with every version of numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def draw_positions(population: int, n: int, seed: int) -> npt.NDArray[np.int64]:
    """`n` distinct whole numbers below `population`, ascending; every such set is equally likely.

    They are the first distinct ones in the raw output of PCG64, cut to as many bits as `population` needs, with numbers
    that are too large passed over: numpy promises that output for ever, which it does not for its `Generator`. Where
    more than half are wanted, those to leave out are drawn. Costs O(n), and a bit more near a half.

    Args:
        population: how many there are to draw from.
        n: how many to draw, 0 … population.
        seed: not negative.
    """
    if 2 * n <= population:
        return _first_distinct(population, n, seed)
    chosen = np.ones(population, bool)
    chosen[_first_distinct(population, population - n, seed)] = False
    return np.flatnonzero(chosen).astype(np.int64)


def _first_distinct(population: int, n: int, seed: int) -> npt.NDArray[np.int64]:
    source = np.random.PCG64(seed)
    mask = np.uint64((1 << (population - 1).bit_length()) - 1) if population > 1 else np.uint64(0)
    drawn = np.empty(0, np.uint64)
    while True:
        distinct, first = np.unique(drawn, return_index=True)
        if len(distinct) >= n:
            return np.sort(drawn[np.sort(first)[:n]]).astype(np.int64)
        raw = source.random_raw(2 * (n - len(distinct)) + 64) & mask
        drawn = np.concatenate((drawn, raw[raw < population]))
