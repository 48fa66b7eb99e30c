"""What a regression that was fitted says of rows, whether it was just fitted, read from the store or from a model file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from memtax.taxonomy.frame import Frame, Rule, Scope, take_features, take_rows

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BASELINE = "baseline"


class Fitted(Protocol):
    """What prediction needs of a regression, whether it was just fitted or read from a file."""

    @property
    def scope(self) -> Scope:
        """Whose rows it answers for."""

    @property
    def intercept(self) -> float:
        """NaN where nothing could be fitted."""

    def log_odds(self, values: Floats) -> Floats:
        """(n,) for (n, d) values."""


@dataclass(frozen=True)
class Regression:
    """What prediction needs of one fit that was stored.

    Attributes:
        scope: whose rows it answers for.
        coefficients: (d,) per unit of the features, NaN for those left out.
        intercept: NaN where nothing could be fitted.
    """

    scope: Scope
    coefficients: Floats
    intercept: float

    def log_odds(self, values: Floats) -> Floats:
        """(n,) for (n, d) values; NaN where a feature that is used is not known."""
        return linear(values, self.coefficients, self.intercept)


def linear(values: Floats, coefficients: Floats, intercept: float) -> Floats:
    """(n,) log-odds of (n, d) values; a coefficient of NaN is of a feature that was left out."""
    used = ~np.isnan(coefficients)
    if used.all():
        return np.asarray(values @ coefficients + intercept)
    return np.asarray(take_features(values, used) @ coefficients[used] + intercept)


def predict(fits: Sequence[Fitted], frame: Frame) -> dict[str, tuple[Floats, npt.NDArray[np.object_], Bools]]:
    """Apply the fits of one frame's features to rows.

    Returns:
        predictor -> probabilities (n,) (NaN where a feature is missing or nothing could be fitted), the scope that answered,
        and whether that is the baseline in the place of a scope that could not be fitted.
    """
    results: dict[str, tuple[Floats, npt.NDArray[np.object_], Bools]] = {}
    baseline = next((fit for fit in fits if fit.scope.predictor == BASELINE and not np.isnan(fit.intercept)), None)
    fallback = baseline.log_odds(frame.values) if baseline else np.full(len(frame), np.nan)
    for predictor in dict.fromkeys(fit.scope.predictor for fit in fits):
        log_odds = fallback.copy()
        names = np.full(len(frame), BASELINE, dtype=object)
        is_fallback = np.full(len(frame), predictor != BASELINE)
        for fit in fits:
            if fit.scope.predictor != predictor or np.isnan(fit.intercept):
                continue
            chosen = fit.scope.rule.holds(frame)
            log_odds[chosen] = fit.log_odds(take_rows(frame.values, chosen))
            names[chosen] = fit.scope.name
            is_fallback[chosen] = False
        results[predictor] = (expit(log_odds), names, is_fallback)
    return results


def everything(predictor: str = BASELINE) -> Scope:
    """The scope of all rows."""
    return Scope(predictor, BASELINE, Rule())
