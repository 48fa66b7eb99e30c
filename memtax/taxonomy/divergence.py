"""How far the values of a feature among memorized sequences are distributed from those among others.

The corrected protocol compares histograms over one support, by the Kullback-Leibler divergence of the memorized from the
others, in nats (how much a memorized sequence's value says, on average, for its being memorized), and by the
Jensen-Shannon divergence, which is symmetric and at most ln 2. Of a histogram with few rows both are biased upwards, the
more so the more bins it has: small samples get fewer bins, and the bias that a bootstrap shows is taken off.

The published procedure takes as many values from both sides at random, in pairs, and scipy's `entropy` of the two lists as
if they were probabilities: what it gives depends on which value met which, and not only on the distributions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MEASURES = ("kl_divergence", "jensen_shannon")
# Rows added to every bin that has some on either side, so that one which a side lacks does not make it infinite. In
# simulations 0.1 left less bias than 0.5 (tests/taxonomy/test_divergence.py has one).
ADDED = 0.1
FEWEST_BINS = 4
# Of the published procedure, which draws anew each time.
PUBLISHED_DRAWS = 100


@dataclass(frozen=True)
class Divergence:
    """A divergence in nats with its 95 % interval; NaN where a side has no rows, the interval where nothing bounds it."""

    value: float
    low: float
    high: float


def bins_for(n: int, most: int) -> int:
    """Bins for the smaller side's n rows: 2 n^(1/3) (Rice's rule), between FEWEST_BINS and `most`."""
    return int(np.clip(round(2 * n ** (1 / 3)), min(FEWEST_BINS, most), most))


def divergences(memorized: Floats, others: Floats, weights: Floats, *, most_bins: int) -> dict[str, Divergence]:
    """Divergences of two histograms, with intervals from a bootstrap of blocks of groups.

    The value is bias-corrected by the bootstrap, and the percentile interval is moved as its centre is: twice the bias
    (samples are off from the estimate as it is from the truth).

    Args:
        memorized, others: (blocks, most_bins) rows in each block and bin.
        weights: (samples, blocks) how often each block is drawn.
        most_bins: of the histograms; neighbours are joined where the smaller side has few rows.

    Returns:
        measure -> divergence.
    """
    n = int(min(memorized.sum(), others.sum()))
    if n == 0:
        return dict.fromkeys(MEASURES, Divergence(float("nan"), float("nan"), float("nan")))
    joined = np.arange(most_bins) * bins_for(n, most_bins) // most_bins
    first = np.flatnonzero(np.diff(joined, prepend=-1))
    memorized, others = (np.add.reduceat(side, first, axis=1) for side in (memorized, others))
    there = (memorized + others).sum(axis=0) > 0
    memorized, others = memorized[:, there], others[:, there]
    p, q = weights @ memorized, weights @ others
    drawn = (p.sum(axis=1) > 0) & (q.sum(axis=1) > 0)
    samples = _measures(p[drawn], q[drawn])
    values = _measures(memorized.sum(axis=0), others.sum(axis=0))
    return {name: _interval(float(values[name]), samples[name]) for name in MEASURES}


def _interval(value: float, samples: Floats) -> Divergence:
    bias = float(samples.mean()) - value
    low, high = np.quantile(samples, [0.025, 0.975]) - 2 * bias
    if high <= 0:
        # All rows lie in one bin, or more is taken off than there is: that bounds nothing.
        return Divergence(max(0.0, value - bias), float("nan"), float("nan"))
    return Divergence(max(0.0, value - bias), max(0.0, float(low)), max(0.0, float(high)))


def _measures(p: Floats, q: Floats) -> dict[str, Floats]:
    """Both measures of histograms (..., bins)."""
    p, q = p + ADDED, q + ADDED
    p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
    middle = (p + q) / 2
    return {
        "kl_divergence": np.sum(p * np.log(p / q), axis=-1),
        "jensen_shannon": np.sum(p * np.log(p / middle) + q * np.log(q / middle), axis=-1) / 2,
    }


def published_divergence(memorized: Floats, everything: Floats, seed: int) -> Divergence:
    """The paper's divergence: its mean over PUBLISHED_DRAWS draws, and the middle 95 % of them.

    Each draw resamples `everything` with replacement (the paper holds the memorized against memorized and sampled rows
    together), takes as many values at random of both sides, and takes the first list's entropy relative to the second.

    Args:
        memorized: (n,) positive values among memorized sequences.
        everything: (m,) positive values among these and the representative sample.
        seed: decides the draws; the paper's have none.
    """
    from scipy.stats import entropy

    n = min(len(memorized), len(everything))
    if n == 0:
        return Divergence(float("nan"), float("nan"), float("nan"))
    generator = np.random.default_rng(seed)
    draws = np.empty(PUBLISHED_DRAWS)
    for place in range(PUBLISHED_DRAWS):
        # n values out of a resample of m, in random order, are n draws with replacement.
        other = everything[generator.integers(0, len(everything), n)]
        draws[place] = entropy(generator.choice(memorized, n, replace=False), other)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Divergence(float(draws.mean()), float(low), float(high))
