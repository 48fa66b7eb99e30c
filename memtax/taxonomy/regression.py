"""Logistic regressions on many choices of the same rows, fitted together by Newton's method on the native kernel.

Each minimises  sum_i w(y_i) log(1 + exp(-s_i z_i)) + 1/2 sum_j penalty_j b_j^2  with z = X b + intercept, s = ±1: with
penalty 1 scikit-learn's LogisticRegression(C=1), whose intercept is not penalised either. A step is halved until it does
not raise the objective. The last one is below TOLERANCE, or below DECREMENT in squared standard errors (where columns nearly
repeat each other, rounding keeps steps from becoming smaller); since Newton's method converges quadratically the
coefficients are then far closer to the optimum than that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memtax_native._logistic import Rows
from udf.settings import available_threads

Floats = npt.NDArray[np.float64]
Choices = npt.NDArray[np.int32]

TOLERANCE = 1e-7
DECREMENT = 1e-12
MAXIMUM_STEPS = 60
# Coefficients of standardised columns beyond it are on their way to infinity.
LARGEST_COEFFICIENT = 1e8
# How far a coefficient is moved to see whether the likelihood has an end: columns that the collinear are left out of have one
# long before.
FAR = 1e6


@dataclass(frozen=True)
class Fits:
    """The fits of k choices of rows with d features.

    Attributes:
        coefficients: (k, d + 1), the intercept last; NaN where nothing could be fitted, 0 for columns left out.
        information: (k, d + 1, d + 1) Hessian of the objective there, penalty included.
        log_likelihood: (k,) weighted, without the penalty.
        n_rows, n_positive: (k,) of each choice.
        status: (k,) 'fitted', 'empty', 'one class', 'separated' (every row is on its side of 0.5: without a penalty there
            is no optimum), 'partly separated' (some rows can be moved to their side ever further at no other's cost: without
            a penalty there is none either) or 'not converged'.
        steps: Newton steps taken, evaluations included that were halved.
        escapes: (k, d + 1) of those that are partly separated, the step along which the likelihood has no end; NaN elsewhere.
    """

    coefficients: Floats
    information: Floats
    log_likelihood: Floats
    n_rows: npt.NDArray[np.int64]
    n_positive: npt.NDArray[np.int64]
    status: npt.NDArray[np.str_]
    steps: int
    escapes: Floats


def balanced_weights(n_rows: npt.NDArray[np.int64], n_positive: npt.NDArray[np.int64]) -> Floats:
    """Weights (k, 2) of the classes 0 and 1 that give both half of all weight: rows / (2 × rows of the class)."""
    by_class = np.stack([n_rows - n_positive, n_positive], axis=1)
    return n_rows[:, None] / (2.0 * np.maximum(by_class, 1))


def fit(
    rows: Rows,
    choices: Choices,
    *,
    penalty: Floats | float = 1.0,
    balanced: bool = False,
    start: Floats | None = None,
    active: npt.NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> Fits:
    """Fit one regression on each choice of rows.

    Args:
        rows: the rows, with the indicators that choices name.
        choices: int32 (k, literals), see `memtax_native._logistic.Rows.derive`.
        penalty: of the squared coefficients: one number, or (k, d).
        balanced: weigh the classes so that both count the same; else every row counts 1.
        start: (d + 1,) or (k, d + 1) coefficients to begin from; zeros by default.
        active: (k, d) columns to use; all by default.
        threads: by default `available_threads()`.
    """
    threads = threads or available_threads()
    k, columns = len(choices), rows.n_columns
    counts = rows.count(choices, threads=threads).astype(np.int64)
    n_rows, n_positive = counts[:, 0], counts[:, 1]
    weights = balanced_weights(n_rows, n_positive) if balanced else np.ones((k, 2))
    penalties = np.zeros((k, columns))
    penalties[:, :-1] = penalty
    used = np.ones((k, columns), bool)
    if active is not None:
        used[:, :-1] = active
    status = np.full(k, "fitted", dtype="<U16")
    status[n_rows == 0] = "empty"
    status[(n_rows > 0) & ((n_positive == 0) | (n_positive == n_rows))] = "one class"
    result = np.full((k, columns), np.nan)
    information = np.full((k, columns, columns), np.nan)
    log_likelihood = np.full(k, np.nan)
    escapes = np.full((k, columns), np.nan)

    todo = np.flatnonzero(status == "fitted")
    current = np.zeros((k, columns)) if start is None else np.broadcast_to(start, (k, columns)).copy()
    current[~used] = 0
    objective = np.full(k, np.inf)
    step = np.zeros((k, columns))
    steps = 0
    while len(todo) and steps < MAXIMUM_STEPS:
        steps += 1
        proposal = current[todo] + step[todo]
        loss, gradient, hessian, errors = rows.derive(choices[todo], proposal, weights[todo], threads=threads)
        value = loss + 0.5 * np.sum(penalties[todo] * proposal**2, axis=1)
        # Rounding of a sum over n rows: what it hides is no rise.
        worse = ~(value <= objective[todo] + 1e-12 * np.abs(value) + 1e-12)
        step[todo[worse]] *= 0.5
        stuck = worse & (np.abs(step[todo]).max(axis=1) < 1e-13)
        status[todo[stuck]] = "not converged"
        better = np.flatnonzero(~worse)
        ids = todo[better]
        current[ids], objective[ids] = proposal[better], value[better]
        gradient[better] += penalties[ids] * current[ids]
        full = hessian[better]
        full[:, np.arange(columns), np.arange(columns)] += penalties[ids]
        step[ids] = -_solve(full, gradient[better], used[ids])
        size = np.abs(step[ids]).max(axis=1, initial=0)
        separated = errors[better] == 0
        decrement = -np.einsum("kj,kj->k", gradient[better], step[ids])
        finished = (size < TOLERANCE) | (np.abs(decrement) < DECREMENT)
        # Perfectly told apart and still growing: no maximum of the likelihood, so what there is is no estimate.
        hopeless = separated & ~finished & ~penalties[ids].any(axis=1) & (loss[better] < 1e-3)
        # A step that gains nothing and is not small either: rounding of columns that nearly repeat each other, or the way to
        # infinity. Far along it the objective has risen, or has not.
        doubtful = np.flatnonzero(finished & (size >= TOLERANCE) & ~penalties[ids].any(axis=1) & ~separated)
        endless = np.zeros(len(ids), bool)
        if len(doubtful):
            some = ids[doubtful]
            far = current[some] + step[some] * (FAR / size[doubtful])[:, None]
            there = rows.derive(choices[some], far, weights[some], threads=threads)[0]
            endless[doubtful] = there <= loss[better][doubtful] + 1e-9 * (1 + loss[better][doubtful])
            escapes[ids[endless]] = step[ids[endless]]
        finished &= ~endless
        done = finished | endless | hopeless | (np.abs(current[ids]).max(axis=1) > LARGEST_COEFFICIENT)
        closed = ids[done]
        result[closed] = np.where(finished[done, None], current[closed] + step[closed], np.nan)
        information[closed] = full[done]
        log_likelihood[closed] = -loss[better][done]
        ended = np.where(finished, "fitted", np.where(endless, "partly separated", "not converged"))
        status[closed] = np.where(separated, "separated", ended)[done]
        left = np.ones(len(todo), bool)
        left[better[done]] = False
        left[stuck] = False
        todo = todo[left]
    status[todo] = "not converged"
    return Fits(result, information, log_likelihood, n_rows, n_positive, status, steps, escapes)


def _solve(hessian: Floats, gradient: Floats, used: npt.NDArray[np.bool_]) -> Floats:
    """Newton steps, 0 in columns that are not used; scaled to a unit diagonal, since columns differ by many orders."""
    both = used[:, :, None] & used[:, None, :]
    diagonal = np.einsum("kii->ki", hessian)
    scale = np.where(used, 1 / np.sqrt(np.maximum(diagonal, 1e-300)), 1.0)
    scaled = np.where(both, hessian * scale[:, :, None] * scale[:, None, :], 0.0)
    index = np.arange(hessian.shape[1])
    # A rank that rounding alone makes full would send a step anywhere.
    scaled[:, index, index] = 1.0 + 1e-13
    right = np.where(used, gradient * scale, 0.0)
    return np.linalg.solve(scaled, right[..., None])[..., 0] * scale
