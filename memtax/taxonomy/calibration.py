"""The calibration error in adaptive bins: which row is in which, the reliability curve, and an interval that knows its bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

# Adaptive bins: each holds the same number of rows, so that none is empty however the probabilities are spread.
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Bin:
    """One bin of the calibration error: what was predicted of its rows, and what came of them."""

    mean_probability: float
    n_memorized: int
    n_rows: int


def equal_bins(n: int, most: int = CALIBRATION_BINS) -> Integers:
    """The adaptive calibration bin (n,) of rows sorted by probability: cut into parts of equal size."""
    return np.arange(n) * min(most, n) // max(n, 1)


def reliability_bins(labels: Bools, ascending: Floats) -> tuple[Bin, ...]:
    """The bins that the calibration error is over.

    Args:
        labels: (n,).
        ascending: (n,) their probabilities, sorted.
    """
    places = equal_bins(len(ascending))
    n_rows = np.bincount(places)
    means = np.bincount(places, ascending) / np.maximum(n_rows, 1)
    n_memorized = np.bincount(places, labels)
    return tuple(Bin(float(p), int(k), int(n)) for p, k, n in zip(means, n_memorized, n_rows, strict=True))


def calibration_interval(off: Floats, samples: Floats) -> tuple[float, float]:
    """A 95 % interval of the calibration error, which chance alone makes positive: of rows, and once more of samples of them.

    Percentiles of the samples would leave out the truth wherever probabilities are nearly right. The upper end is theirs
    less the bias that they show, the lower end less twice as much: their own and that of the value. It is 0 where the bins
    are together no further off than chance would make them, were the probabilities right.

    Args:
        off: (bins,) how far each bin is off, times its share of the rows.
        samples: (samples, bins) the same of bootstrap samples.
    """
    value, values = np.abs(off).sum(), np.abs(samples).sum(axis=1)
    bias = values.mean() - value
    low, high = np.quantile(values, [0.025, 0.975])
    by_chance = np.quantile(np.abs(samples - off).sum(axis=1), 0.95)
    low = 0.0 if value <= by_chance else np.clip(low - 2 * bias, 0, value)
    return float(low), float(max(value, high - bias))
