"""Divergences of memorized from other sequences: known truths, coverage, and the published procedure."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from memtax.taxonomy.divergence import bins_for, divergences, published_divergence
from memtax.taxonomy.diverging import divergence_rows, published_divergence_rows
from memtax.taxonomy.settings import Settings

BINS, BLOCKS = 40, 200


def histograms(rng: np.random.Generator, n: int, shift: float) -> np.ndarray:
    """(BLOCKS, BINS) rows of a normal variable, each of a group of its own."""
    bins = np.clip(((rng.normal(shift, 1, n) + 4) / 8 * BINS).astype(int), 0, BINS - 1)
    return np.bincount(rng.integers(0, BLOCKS, n) * BINS + bins, minlength=BLOCKS * BINS).reshape(BLOCKS, BINS) * 1.0


def draw_weights(rng: np.random.Generator, samples: int) -> np.ndarray:
    return rng.multinomial(BLOCKS, np.full(BLOCKS, 1 / BLOCKS), size=samples) * 1.0


def binned_truth(shift: float, bins: int) -> float:
    """Kullback-Leibler divergence of two normals, told apart as far as the joined bins do."""
    rng = np.random.default_rng(99)
    joined = np.arange(BINS) * bins // BINS
    p, q = (np.bincount(joined, histograms(rng, 4_000_000, one).sum(axis=0)) + 1e-9 for one in (shift, 0.0))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum(p * np.log(p / q)))


@pytest.mark.parametrize(("n", "shift"), [(100, 1.0), (2000, 0.3)])
def test_intervals_hold_the_truth(n: int, shift: float) -> None:
    truth = binned_truth(shift, bins_for(n, BINS))
    held, values = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        sides = histograms(rng, n, shift), histograms(rng, 10 * n, 0.0)
        found = divergences(*sides, draw_weights(rng, 300), most_bins=BINS)["kl_divergence"]
        held.append(found.low <= truth <= found.high)
        values.append(found.value)
    assert 0.90 <= np.mean(held) <= 1.0
    assert np.mean(values) == pytest.approx(truth, rel=0.1)


def test_equal_distributions_have_no_divergence() -> None:
    rng = np.random.default_rng(0)
    found = divergences(histograms(rng, 500, 0), histograms(rng, 5000, 0), draw_weights(rng, 300), most_bins=BINS)
    for one in found.values():
        assert one.low == 0
        assert one.value < 0.02


def test_what_bounds_nothing_has_no_interval() -> None:
    """One bin tells nothing apart, and of a few rows more bias may be taken off than there is: 0 is then no upper end."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sides = [np.zeros((BLOCKS, BINS)) for _ in range(2)]
        for side, n in zip(sides, (11, 6), strict=True):
            side[rng.integers(0, BLOCKS, n), rng.integers(0, BINS if seed else 1, n)] = 1
        for one in divergences(*sides, draw_weights(rng, 300), most_bins=BINS).values():
            assert one.value == 0 or not np.isnan(one.high)
            assert np.isnan(one.low) == np.isnan(one.high)
            assert np.isnan(one.high) or one.high > 0
            assert np.isnan(one.high) or seed


def test_copies_widen_the_interval() -> None:
    """Ten copies of each row say no more than one; as groups, they stay in one block."""
    rng = np.random.default_rng(0)
    sides = histograms(rng, 300, 1.0), histograms(rng, 3000, 0.0)
    weights = draw_weights(rng, 300)
    once = divergences(*sides, weights, most_bins=BINS)["jensen_shannon"]
    scattered = [
        rng.multinomial(int(10 * side.sum()), np.full(BLOCKS, 1 / BLOCKS))[:, None] * side.sum(axis=0) / side.sum()
        for side in sides
    ]
    copied = divergences(*(10 * side for side in sides), weights, most_bins=BINS)["jensen_shannon"]
    apart = divergences(*scattered, weights, most_bins=BINS)["jensen_shannon"]
    assert copied.high - copied.low > 0.7 * (once.high - once.low)
    assert apart.high - apart.low < 0.5 * (once.high - once.low)


def test_the_published_procedure_gives_a_divergence_to_equal_distributions() -> None:
    """Its fault: pairs that chance made, not distributions, decide the value."""
    rng = np.random.default_rng(0)
    memorized, others = np.exp(rng.normal(size=400)), np.exp(rng.normal(size=4000))
    found = published_divergence(memorized, np.concatenate([memorized, others]), 1024)
    assert found.low > 0.3
    # The paper's own steps on lists as they come out of its sampling.
    from scipy.stats import entropy

    assert entropy(memorized, others[:400]) == pytest.approx(found.value, rel=0.5)
    assert published_divergence(memorized, others, 7) == published_divergence(memorized, others, 7)


def test_sides_without_rows_are_reported() -> None:
    counts = pa.table(
        {
            "feature": ["loss"] * 3,
            "duplicates_from": pa.array([1, 1, None], pa.int64()),
            "block": [0, 1, 2],
            "bin": [3, 4, 5],
            "n_memorized": [0, 0, 0],
            "n_other": [5, 1, 2],
        }
    )
    rows = divergence_rows("m", "r", counts, Settings())
    assert {(row["duplicates_from"], row["n_other"]) for row in rows} == {(None, 8), (1, 6)}
    assert all(np.isnan(row["divergence"]) and row["status"] == "no memorized rows" for row in rows)


def test_the_published_rows_are_of_all_and_of_each_range() -> None:
    rng = np.random.default_rng(0)
    values = pa.table(
        {
            "memorized": rng.random(900) < 0.3,
            "duplicates_from": pa.array(np.where(np.arange(900) < 300, 1, 6)),
            "perplexity": np.append(rng.random(899) + 1, np.nan),
        }
    )
    rows = published_divergence_rows("m", "r", values, Settings(protocol="paper"))
    assert [row["duplicates_from"] for row in rows] == [None, 1, 6]
    assert sum(row["n_memorized"] + row["n_other"] for row in rows[1:]) == 899
    assert all(row["low"] <= row["divergence"] <= row["high"] for row in rows)
