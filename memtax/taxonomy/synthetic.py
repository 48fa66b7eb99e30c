"""Rows with a known truth: what a protocol finds can be held against what is there.

A representative sample and a set of memorized sequences are drawn from one population in which the log-odds of memorization
are linear in the features, with coefficients of each category. Copies of some continuations are planted: the same features,
and the same label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memtax.taxonomy.frame import CATEGORIES, Frame

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """The population.

    Attributes:
        coefficients: category -> (d + 1,) per unit of the features (which have mean 0 and variance 1), the intercept last.
        category_shares: of the representative sample.
        copied: share of the continuations that occur twice.
        memorized_factor: memorized sequences landed for each one in the representative sample.
    """

    coefficients: Mapping[str, Sequence[float]]
    category_shares: tuple[float, float, float] = (0.25, 0.15, 0.6)
    copied: float = 0.1
    memorized_factor: float = 3.0


DEFAULT = Truth(
    {
        "recitation": (0.8, -0.5, 0.0, -0.6),
        "reconstruction": (0.3, 0.4, 0.6, -1.0),
        "recollection": (0.0, -0.9, 0.3, -2.0),
    }
)


def draw_frame(truth: Truth, n: int, seed: int, *, test_share: float = 0.3) -> Frame:
    """Draw `n` representative continuations, and memorized ones beside them, with their copies.

    Args:
        truth: the population.
        n: continuations in the representative sample.
        seed: decides everything.
        test_share: of the groups.
    """
    rng = np.random.default_rng(seed)
    own = _draw(truth, n, rng)
    pool = _draw(truth, int(n * truth.memorized_factor), rng)
    memorized = tuple(part[pool[2]] for part in pool)
    values, categories, labels = (np.concatenate(pair) for pair in zip(own, memorized, strict=True))
    representative = np.arange(len(labels)) < n
    groups = np.arange(len(labels))
    rows = np.concatenate([groups, np.flatnonzero(rng.random(len(labels)) < truth.copied)])
    in_test = rng.random(len(labels)) < test_share
    fold = rng.integers(0, 10, len(labels))
    return Frame(
        features=tuple(f"feature_{j}" for j in range(values.shape[1])),
        values=values[rows],
        labels=labels[rows],
        columns={"category": categories[rows].astype(object), "own_category": np.full(len(rows), None, dtype=object)},
        representative=representative[rows],
        test=in_test[rows],
        fold=fold[rows],
        groups=groups[rows],
    )


def probabilities(truth: Truth, frame: Frame) -> Floats:
    """The true probability (n,) of memorization in the representative population."""
    beta = np.array([truth.coefficients[name] for name in frame.columns["category"]])
    log_odds = np.sum(frame.values * beta[:, :-1], axis=1) + beta[:, -1]
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _draw(truth: Truth, n: int, rng: np.random.Generator) -> tuple[Floats, npt.NDArray, npt.NDArray]:
    categories = rng.choice(CATEGORIES, n, p=truth.category_shares)
    beta = np.array([truth.coefficients[name] for name in categories])
    values = rng.normal(size=(n, beta.shape[1] - 1))
    log_odds = np.sum(values * beta[:, :-1], axis=1) + beta[:, -1]
    return values, categories, rng.random(n) < 1 / (1 + np.exp(-log_odds))
