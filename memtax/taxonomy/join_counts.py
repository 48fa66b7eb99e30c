"""How often neighbours differ in label by chance: the null distribution behind the p-value of xi's mean over orders of ties.

Of rows that a feature sorts into groups of equal values, let w be the share of random orders of the ties in which two rows lie
side by side: 2 / m within a group of m rows, 1 / (m m') across the border of two groups. The mean number of neighbours that
differ is then the sum of w over the pairs of rows whose labels differ: a join count (Cliff & Ord, Spatial Processes, 1981,
chapter 2). If the labels have nothing to do with the feature, every arrangement of them is as likely, and the moments of the
sum are those of its pairs, which depend only on how many rows two or three pairs share.
"""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


def few_changes_p_value(changes: float, sizes: Floats, positive: int) -> float:
    """P(as few neighbours differ, by chance), by a gamma distribution that has the mean, variance and skewness of the exact one.

    It is skewed where few groups hold most rows: with two, it is nearly a chi-square with one degree of freedom.

    Args:
        changes: the mean number of neighbours that differ.
        sizes: (groups,) rows of each group, in the order of the feature.
        positive: how many rows are of label 1.

    Returns:
        NaN where every arrangement gives the same.
    """
    mean, variance, third = moments(sizes, positive)
    if not variance > 1e-9 * max(mean, 1.0):
        return float("nan")
    deviation = np.sqrt(variance)
    return float(stats.pearson3.sf((mean - changes) / deviation, -third / deviation**3))


def moments(sizes: Floats, positive: int) -> tuple[float, float, float]:
    """Mean, variance and third central moment of the number of neighbours that differ, over all arrangements of the labels.

    Args:
        sizes: (groups,) rows of each group, in the order of the feature.
        positive: how many rows are of label 1.
    """
    m = np.asarray(sizes, dtype=np.float64)
    n = int(m.sum())
    one, other, total = positive, n - positive, n - 1.0  # `total` is the sum of w over all pairs

    def chance(*drawn: tuple[int, int]) -> float:
        """P(of a + b rows that are drawn, each is of the label it should be), over the ways to ask for a ones and b others."""
        ways = sum(_falling(one, a) * _falling(other, b) for a, b in drawn)
        return ways / (_falling(n, sum(drawn[0])) or 1)

    # Chances that the rows of one pair differ; of two pairs, sharing a row or none; of three, in a star, a path, two and one
    # apart, and all apart. Three pairs of three rows cannot all differ.
    pair, shared, apart = chance((1, 1), (1, 1)), chance((1, 2), (2, 1)), 4 * chance((2, 2))
    star, path = chance((1, 3), (3, 1)), 2 * chance((2, 2))
    two_and_one, all_apart = 2 * chance((2, 3), (3, 2)), 8 * chance((3, 3))

    def neighbours(values: Floats) -> Floats:
        """The sum of `values` over the groups beside each."""
        return np.append(values[1:], 0) + np.append(0, values[:-1])

    # Sums for one row of each group, over the other rows j: w, w², w³, and w and w² times the whole of j.
    inside = 2 / m
    w = (m - 1) * inside + neighbours(np.ones(len(m))) / m
    w_2 = (m - 1) * inside**2 + neighbours(1 / m) / m**2
    w_3 = (m - 1) * inside**3 + neighbours(1 / m**2) / m**3
    beyond = (m - 1) * inside * w + neighbours(w) / m
    beyond_2 = (m - 1) * inside**2 * w + neighbours(w / m) / m**2
    squares, cubes = np.sum(m * w_2) / 2, np.sum(m * w_3) / 2
    touching = np.sum(m * (w**2 - w_2))  # two pairs that share a row, in either order
    second = pair * squares + shared * touching + apart * (total**2 - squares - touching)

    border = 1 / (m[:-1] * m[1:])
    middle = np.sum((m - 1) * (w - inside) ** 2) + np.sum((w[:-1] - border) * (w[1:] - border))
    triangles = np.sum(m * (m - 1) * (m - 2) * inside**3) + np.sum(6 * (m - 1) * neighbours(1 / m) / m**2)
    crossed = np.sum(m * w * w_2)
    twice_touching = 3 * (crossed - 2 * cubes)
    twice_apart = 3 * (squares * total - crossed + cubes)
    stars = np.sum(m * (w**3 - 3 * w * w_2 + 2 * w_3))
    paths = 6 * (middle - triangles / 2)
    around = (w**2 - w_2) * (total - w) - 2 * (w * beyond - beyond_2) + 2 * (w * w_2 - w_3)
    angles = 3 * (np.sum(m * around) + triangles)
    rest = total**3 - (cubes + twice_touching + twice_apart + triangles + stars + paths + angles)
    third = pair * cubes + shared * twice_touching + apart * twice_apart + star * stars + path * paths
    third += two_and_one * angles + all_apart * rest

    mean = pair * total
    variance = second - mean**2
    return mean, float(variance), float(third - 3 * mean * variance - mean**3)


def _falling(n: int, k: int) -> int:
    """n (n − 1) … of k factors: ways to draw k of n in order."""
    return prod(range(n - k + 1, n + 1)) if n >= k else 0
