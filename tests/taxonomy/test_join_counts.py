"""The moments of the number of neighbours that differ, against all arrangements of few labels."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from memtax.taxonomy.join_counts import few_changes_p_value, moments


def changes(labels: np.ndarray, groups: np.ndarray) -> float:
    """The mean number of neighbours that differ, over the orders of ties."""
    sizes = np.bincount(groups)
    share = np.bincount(groups, labels) / sizes
    return float(np.sum(2 * sizes * share * (1 - share)) + np.sum(share[:-1] + share[1:] - 2 * share[:-1] * share[1:]))


@pytest.mark.parametrize("sizes", [[1] * 8, [2, 1], [5, 3], [3, 1, 4], [1, 6, 1], [9, 1, 2], [2, 2, 1, 1, 3]])
def test_moments_are_those_of_all_arrangements(sizes: list[int]) -> None:
    n = sum(sizes)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    for positive in range(1, n):
        found = []
        for chosen in combinations(range(n), positive):
            labels = np.zeros(n)
            labels[list(chosen)] = 1
            found.append(changes(labels, groups))
        off = np.array(found) - np.mean(found)
        expected = (np.mean(found), np.mean(off**2), np.mean(off**3))
        assert moments(np.array(sizes), positive) == pytest.approx(expected, abs=1e-9)


def test_where_every_arrangement_gives_the_same_there_is_no_p_value() -> None:
    assert np.isnan(few_changes_p_value(4.0, np.array([1, 6, 1]), 4))


def test_moments_of_many_rows_are_not_lost_to_rounding() -> None:
    """Without ties they are those of the number of runs less one (Wald & Wolfowitz 1940), which falls by two for each of the
    few pairs of memorized rows that meet: nearly a Poisson number."""
    n, one = 400_000, 4_000
    mean, variance, third = moments(np.ones(n), one)
    runs = 2 * one * (n - one) / n
    assert mean == pytest.approx(runs)
    assert variance == pytest.approx(runs * (runs - 1) / (n - 1), rel=1e-3)
    assert third == pytest.approx(-8 * one**2 / n, rel=0.1)
