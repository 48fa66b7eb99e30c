"""Which columns of some rows a regression can use: neither constant, nor told by the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memtax.taxonomy.frame import take_features
from memtax_native._logistic import Rows
from udf.settings import available_threads

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# A correlation this close to 1 leaves nothing of a column that the others do not say.
COLLINEAR = 1e10
ROWS_AT_ONCE = 8_192


def find_complete(values: Floats) -> Bools:
    """(n,) rows without a missing value."""
    complete = np.ones(len(values), bool)
    for column in values.T:
        complete &= ~np.isnan(column)
    return complete


@dataclass(frozen=True)
class Columns:
    """Which of d columns can be used among some rows.

    Attributes:
        active: (d,).
        mean, scale: (d,) mean and standard deviation.
        inflation: (d,) variance inflation 1 / (1 − R²) among the active columns, NaN elsewhere.
        notes: (d,) 'used', or why not.
    """

    active: Bools
    mean: Floats
    scale: Floats
    inflation: Floats
    notes: tuple[str, ...]


def find_columns(values: Floats, maximum_inflation: float = 0.0) -> Columns:
    """Leave out constant and collinear columns, and those above `maximum_inflation` (0: none), the worst first.

    Args:
        values: (n, d).
        maximum_inflation: 1 / (1 − R²) of a column on the others.
    """
    n, d = values.shape
    if n == 0:
        nothing = np.full(d, np.nan)
        return Columns(np.zeros(d, bool), nothing, np.zeros(d), nothing, ("not fitted",) * d)
    mean, covariance, varies = _moments(values)
    scale = np.where(varies, np.sqrt(np.diag(covariance)), 0.0)
    active = varies & (scale > 0)
    notes = ["used" if usable else "constant" for usable in active]
    correlation = np.eye(d)
    correlation[np.ix_(active, active)] = (covariance / np.outer(scale, scale).clip(1e-300))[np.ix_(active, active)]
    limit = maximum_inflation or COLLINEAR
    while True:
        inflation = np.full(d, np.nan)
        inflation[active] = _inflation(correlation[np.ix_(active, active)])
        if not active.any() or np.nanmax(inflation) <= limit:
            return Columns(active, mean, scale, inflation, tuple(notes))
        # Of columns that say the same, the last goes.
        worst = int(np.flatnonzero(inflation >= min(np.nanmax(inflation), COLLINEAR))[-1])
        notes[worst] = f"variance inflation {inflation[worst]:.3g}" if inflation[worst] < COLLINEAR else "collinear"
        active[worst] = False


def standardized_rows(values: Floats, labels: Bools, columns: Columns) -> Rows:
    """The active columns, standardised, ready to fit on."""
    active = columns.active
    return Rows(
        values if active.all() else take_features(values, active),
        labels.astype(np.uint8),
        shift=columns.mean[active],
        scale=columns.scale[active],
        threads=available_threads(),
    )


def _moments(values: Floats) -> tuple[Floats, Floats, Bools]:
    """Means (d,), covariances (d, d) and whether a column varies (d,), by blocks of rows: whole columns leave the cache."""
    n, d = values.shape
    blocks = [values[first : first + ROWS_AT_ONCE] for first in range(0, n, ROWS_AT_ONCE)]
    mean = np.sum([block.sum(axis=0) for block in blocks], axis=0) / n
    covariance = np.zeros((d, d))
    varies = np.zeros(d, bool)
    for block in blocks:
        if not varies.all():
            varies |= (block != values[0]).any(axis=0)
        centred = block - mean
        covariance += centred.T @ centred
    return mean, covariance / n, varies


def _inflation(correlation: Floats) -> Floats:
    """The diagonal of the inverse correlation matrix; infinite where it has none."""
    if not len(correlation):
        return np.empty(0)
    sizes, vectors = np.linalg.eigh(correlation)
    return np.asarray(np.sum(vectors**2 / np.maximum(sizes, 1e-14), axis=1))
