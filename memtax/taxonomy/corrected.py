"""The corrected protocol's regressions: fitted on training rows alone, with intervals from their own information matrix.

Where groups have several rows (copies of one continuation), the intervals allow for these saying the same.

One L2-penalised logistic regression (C = 1 on features standardised within its rows) per scope, without class weights. Sets
of memorized sequences over-represent these; with labels sampled at different rates the slopes stay what they are, and only
the intercept is off, by the logarithm of the ratio of the rates (Prentice & Pyke, Biometrika 66, 1979). It is put right, so
that probabilities hold for the representative sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import expit

from memtax.taxonomy import regression
from memtax.taxonomy.columns import Columns, find_columns, find_complete, standardized_rows
from memtax.taxonomy.frame import Frame, Scope, take_features, take_rows
from memtax.taxonomy.prediction import linear
from memtax.taxonomy.settings import Settings
from udf.settings import available_threads

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FITTED = "fitted"
INFORMATION = "information matrix"
CLUSTERED = "information matrix, clustered by group"
Z_95 = float(stats.norm.ppf(0.975))
# Each holds copies of its rows: with all scopes at once, memory would grow with the processors.
SCOPES_AT_ONCE = 2


@dataclass(frozen=True)
class ScopeFit:
    """One regression. Arrays of features have one entry for each of the frame's, NaN for those left out.

    Attributes:
        scope: whose rows it was fitted on.
        status: 'fitted', or in words why there is none.
        coefficients: (d,) change in log-odds per unit of the feature.
        intercept: log-odds where every feature is 0, for the representative sample.
        standard_errors: (d,) of `coefficients`; `intercept_error` that of the intercept.
        means, scales: (d,) of the scope's training rows.
        inflation: (d,) variance inflation factors.
        notes: (d,) why a feature was left out, else 'used'.
        shift: what was added to the intercept for the representative sample.
        n_rows, n_memorized, n_incomplete: training rows fitted on, memorized ones, and those left out for a missing value.
        log_likelihood: of the unpenalised fit on the same rows and columns; NaN where it has no maximum or was not asked for.
        errors_from: what the standard errors were computed from.
        endless: the one feature whose coefficient has no end in the unpenalised fit; '' where it is none, or not one alone.
    """

    scope: Scope
    status: str
    coefficients: Floats
    intercept: float
    standard_errors: Floats
    intercept_error: float
    means: Floats
    scales: Floats
    inflation: Floats
    notes: tuple[str, ...]
    shift: float
    n_rows: int
    n_memorized: int
    n_incomplete: int
    log_likelihood: float
    errors_from: str
    endless: str = ""

    @property
    def n_parameters(self) -> int:
        """Coefficients fitted, the intercept included."""
        return int(np.count_nonzero(~np.isnan(self.coefficients))) + 1

    def log_odds(self, values: Floats) -> Floats:
        """(n,) for (n, d) values; NaN where a feature that is used is not known."""
        return linear(values, self.coefficients, self.intercept)


def find_known(frame: Frame) -> tuple[str, ...]:
    """(d,) '' for a feature that can be used, or in words which rows have no value of it.

    One that no representative row has, or no row of one class, would leave nothing to fit on: only rows that have all
    features are.
    """
    kinds = (
        ("no values", np.ones(len(frame), bool)),
        ("no values in representative rows", frame.representative),
        ("no values in memorized rows", frame.labels),
        ("no values in other rows", ~frame.labels),
    )
    notes = [""] * len(frame.features)
    for j, column in enumerate(frame.values.T):
        has = ~np.isnan(column)
        lacking = (words for words, rows in kinds if (rows.any() or words == "no values") and not (has & rows).any())
        notes[j] = next(lacking, "")
    return tuple(notes)


class Training:
    """The training rows of a frame, ready to fit scopes on: those that have all features which can be used.

    Attributes:
        frame: these rows; features that cannot be used have no values there.
        known_features: (d,) which of the frame's features can be used.
        unknown_notes: (d,) why not; '' of those that can.
        values: (n, known features) of these rows.
        incomplete: the other training rows.
        shift: what is added to an intercept so that it holds for the representative sample.
    """

    def __init__(self, frame: Frame, settings: Settings) -> None:
        self.settings = settings
        train = frame.take(~frame.test) if frame.test.any() else frame
        self.unknown_notes = find_known(train)
        self.known_features = np.array([not note for note in self.unknown_notes], dtype=bool)
        if any(note not in ("", "no values") for note in self.unknown_notes):
            values = train.values.copy(order="K")
            values[:, ~self.known_features] = np.nan
            train = replace(train, values=values)
        known = train.values if self.known_features.all() else take_features(train.values, self.known_features)
        complete = find_complete(known)
        self.incomplete = train.take(~complete)
        self.frame = train if complete.all() else train.take(complete)
        self.values = known if complete.all() else take_rows(known, complete)
        self.shift = self._prevalence_shift()
        # How rare memorization is in the representative sample is then not known.
        self.is_mixed = bool(self.frame.labels.any() and not (self.frame.labels & self.frame.representative).any())

    def _prevalence_shift(self) -> float:
        """log(representative memorized rows / all memorized rows): 0 where every one is representative, or none is."""
        n_memorized = np.count_nonzero(self.frame.labels)
        n_representative = np.count_nonzero(self.frame.labels & self.frame.representative)
        if n_representative in (0, n_memorized):
            return 0.0
        return float(np.log(n_representative / n_memorized))

    def shift_error(self) -> float:
        """Standard error of the shift, whose numerator is a count of a sample (delta method)."""
        if self.shift == 0:
            return 0.0
        n_memorized = np.count_nonzero(self.frame.labels)
        n_representative = np.count_nonzero(self.frame.labels & self.frame.representative)
        return float(np.sqrt(1 / n_representative - 1 / n_memorized))

    def fit(self, scopes: Sequence[Scope], *, likelihoods: bool = False) -> list[ScopeFit]:
        """Fit one regression on each scope's rows; with `likelihoods`, once more without the penalty."""
        # Choosing, copying and standardising rows takes longer than fitting and uses one thread of the processor.
        with ThreadPoolExecutor(min(SCOPES_AT_ONCE, available_threads())) as pool:
            return list(pool.map(lambda scope: self._fit(scope, likelihoods), scopes))

    def _fit(self, scope: Scope, likelihoods: bool) -> ScopeFit:
        chosen = scope.rule.holds(self.frame)
        n_rows, n_memorized = int(chosen.sum()), int(self.frame.labels[chosen].sum())
        needed = self.settings.minimum_class_rows
        if min(n_memorized, n_rows - n_memorized) < max(needed, 1):
            status = (
                f"too few examples: {n_memorized} memorized and {n_rows - n_memorized} other training rows, {needed} "
                f"of each needed{self._costliest(scope)}"
            )
            return self._nothing(scope, status, n_rows, n_memorized)
        values = self.values if chosen.all() else take_rows(self.values, chosen)
        columns = find_columns(values, self.settings.maximum_inflation)
        rows = standardized_rows(values, self.frame.labels[chosen], columns)
        every = np.zeros((1, 1), np.int32)
        fits = regression.fit(rows, every)
        log_likelihood, endless = float("nan"), ""
        if likelihoods:
            plain = regression.fit(rows, every, penalty=0.0, start=np.nan_to_num(fits.coefficients[0]))
            log_likelihood = float(plain.log_likelihood[0]) if plain.status[0] == FITTED else log_likelihood
            places = np.flatnonzero(self.known_features)[columns.active]
            endless = _only_feature(plain.escapes[0], [self.frame.features[place] for place in places])
        return replace(self._result(scope, columns, fits, log_likelihood, chosen, values), endless=endless)

    def _result(
        self,
        scope: Scope,
        columns: Columns,
        fits: regression.Fits,
        log_likelihood: float,
        chosen: Bools,
        values: Floats,
    ) -> ScopeFit:
        n_rows, n_memorized = int(fits.n_rows[0]), int(fits.n_positive[0])
        if fits.status[0] not in (FITTED, "separated"):
            return self._nothing(scope, str(fits.status[0]), n_rows, n_memorized)
        status = FITTED
        if fits.status[0] == "separated":
            status = "fitted, but the rows are separable: only the penalty bounds the coefficients"
        elif self.is_mixed:
            status = (
                "fitted, but no memorized training row is representative: probabilities are too large for the sample"
            )
        # From standardised columns to the features' own units: coefficient / scale, and an intercept at 0 of each.
        mean, scale = columns.mean[columns.active], columns.scale[columns.active]
        change = np.diag(np.append(1 / scale, 1.0))
        change[-1, :-1] = -mean / scale
        inverse = np.linalg.inv(fits.information[0])
        groups = self.frame.groups[chosen]
        # Where no group has two rows, the information matrix alone is right. Groups are small numbers, so that
        # counting them is cheaper than sorting.
        n_groups = np.count_nonzero(np.bincount(groups))
        clusters = 1 < n_groups < len(groups)
        if clusters:
            standardized = (take_features(values, columns.active) - mean) / scale
            labels = self.frame.labels[chosen]
            inverse = clustered_covariance(inverse, standardized, labels, fits.coefficients[0], groups)
        covariance = change @ inverse @ change.T
        own = change @ fits.coefficients[0]
        errors = np.sqrt(np.diag(covariance))
        return ScopeFit(
            scope=scope,
            status=status,
            coefficients=self._spread(own[:-1], columns.active),
            intercept=float(own[-1] + self.shift),
            standard_errors=self._spread(errors[:-1], columns.active),
            intercept_error=float(np.hypot(errors[-1], self.shift_error())),
            means=self._spread(columns.mean),
            scales=self._spread(columns.scale),
            inflation=self._spread(columns.inflation),
            notes=self._notes(columns.notes),
            shift=self.shift,
            n_rows=n_rows,
            n_memorized=n_memorized,
            n_incomplete=int(np.count_nonzero(scope.rule.holds(self.incomplete))),
            log_likelihood=log_likelihood,
            errors_from=CLUSTERED if clusters else INFORMATION,
        )

    def _nothing(self, scope: Scope, status: str, n_rows: int, n_memorized: int) -> ScopeFit:
        empty = np.full(len(self.known_features), np.nan)
        notes = tuple(note or "not fitted" for note in self.unknown_notes)
        n_incomplete = int(np.count_nonzero(scope.rule.holds(self.incomplete)))
        nan = float("nan")
        return ScopeFit(
            *(scope, status, empty, nan, empty, nan, empty, empty, empty, notes, self.shift),
            *(n_rows, n_memorized, n_incomplete, nan, "nothing"),
        )

    def _spread(self, values: Floats, active: Bools | None = None) -> Floats:
        """Values of the known (and active) features, at their places among all of the frame's."""
        places = np.flatnonzero(self.known_features)
        result = np.full(len(self.known_features), np.nan)
        result[places if active is None else places[active]] = values
        return result

    def _notes(self, notes: Sequence[str]) -> tuple[str, ...]:
        own = iter(notes)
        return tuple(note or next(own) for note in self.unknown_notes)

    def _costliest(self, scope: Scope) -> str:
        """In words, which feature most rows were left out for; '' where none was."""
        lost = self.incomplete.take(scope.rule.holds(self.incomplete))
        if not len(lost):
            return ""
        missing = np.where(self.known_features, np.isnan(lost.values).sum(axis=0), -1)
        place = int(missing.argmax())
        return f"; {len(lost)} more lack a feature, {missing[place]} of them {lost.features[place]}"


def _only_feature(escape: Floats, features: Sequence[str]) -> str:
    """The feature that a step (d + 1,) to infinity is of, if it is of one alone beside the intercept."""
    size = np.abs(escape[:-1])
    moved = np.flatnonzero(size > 1e-6 * size.max(initial=0))
    return features[moved[0]] if len(moved) == 1 else ""


def clustered_covariance(
    inverse: Floats, values: Floats, labels: Bools, coefficients: Floats, groups: npt.NDArray[np.int64]
) -> Floats:
    """The covariance of coefficients where rows of one group say the same (Liang & Zeger, Biometrika 73, 1986).

    H⁻¹ (Σ_g s_g s_gᵀ) H⁻¹ · G / (G − 1), with s_g the sum of a group's scores.

    Args:
        inverse: (d + 1, d + 1) inverse information H⁻¹.
        values: (n, d) as fitted.
        labels, groups: (n,).
        coefficients: (d + 1,), the intercept last.
    """
    _, codes = np.unique(groups, return_inverse=True)
    n_groups = int(codes.max()) + 1
    residuals = expit(values @ coefficients[:-1] + coefficients[-1]) - labels
    scores = [np.bincount(codes, residuals * values[:, j], n_groups) for j in range(values.shape[1])]
    by_group = np.column_stack([*scores, np.bincount(codes, residuals, n_groups)])
    return inverse @ (by_group.T @ by_group) @ inverse * n_groups / (n_groups - 1)
