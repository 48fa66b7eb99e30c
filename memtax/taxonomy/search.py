"""The partition search: which two features, at which thresholds, part the rows so that three regressions explain them best?

A candidate is an ordered pair of different features with a threshold each: part 1 is where the first reaches its threshold,
part 2 where the second does among the rest, part 3 what is left. Candidates share parts (the first depends on one
threshold, the third not on the order), so that 810 candidates have 1,245 regressions instead of 2,430, and one scan of the
rows serves the next Newton step of all of them. Each is the regression that `memtax.taxonomy.corrected` fits on the part, but
for columns that are collinear there alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from memtax.taxonomy import regression
from memtax_native._logistic import Rows
from udf.settings import available_threads

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

QUANTILES = (0.25, 0.5, 0.75)
# The paper's ten, without what a protocol puts before the name (`paper_`).
SEARCHED_FEATURES = (
    *("max_frequency", "avg_frequency", "min_frequency", "median_frequency", "templates_0_8", "snowclones_0_8"),
    *("textual_matches_0_8", "semantic_matches_0_8", "sequence_duplicates", "huffman_coding_length"),
    *("huffman_code_length", "is_templating", "generation_perplexity"),
)
# Regressions that are fitted and stored together: what a kill can lose.
FITTED_TOGETHER = 256
# A variance below this share of the mean square is what rounding makes of a constant.
CONSTANT = 1e-11
Literal = tuple[int, int]  # number of a threshold, and 1 or -1: reached, or not


@dataclass(frozen=True)
class Threshold:
    """A question about one feature."""

    feature: str
    quantile: float
    value: float


@dataclass(frozen=True)
class Candidate:
    """An ordered pair of thresholds, by their numbers, and its three parts, by the numbers of theirs."""

    first: int
    second: int
    parts: tuple[int, int, int]


@dataclass(frozen=True)
class Plan:
    """What is searched: thresholds, candidates, and the distinct parts, each two literals (0: nothing)."""

    thresholds: tuple[Threshold, ...]
    candidates: tuple[Candidate, ...]
    parts: tuple[tuple[Literal, ...], ...]


@dataclass(frozen=True)
class Searched:
    """The fits of a plan.

    Attributes:
        plan: what was searched.
        coefficients: (parts, d + 1) of the columns of the rows, NaN where there is no fit, 0 for columns constant in the part.
        status: (parts,) see `memtax.taxonomy.regression.Fits`.
        n_rows, n_positive: (parts,).
        minimum_class_rows: rows of either class below which a fit counts for nothing.
    """

    plan: Plan
    coefficients: Floats
    status: npt.NDArray[np.str_]
    n_rows: npt.NDArray[np.int64]
    n_positive: npt.NDArray[np.int64]
    minimum_class_rows: int = 1

    @property
    def large_enough(self) -> npt.NDArray[np.bool_]:
        """(parts,) of which both classes have the rows needed."""
        return np.minimum(self.n_positive, self.n_rows - self.n_positive) >= self.minimum_class_rows

    def status_of(self, candidate: Candidate) -> str:
        """'fitted', or the first fault among the candidate's parts."""
        large_enough = self.large_enough
        for part in candidate.parts:
            if self.status[part] == "fitted" and not large_enough[part]:
                memorized, others = self.n_positive[part], self.n_rows[part] - self.n_positive[part]
                needed = f"{self.minimum_class_rows} of each needed"
                return f"a part has {memorized} memorized and {others} other training rows, {needed}"
            if self.status[part] != "fitted":
                return f"a part is {self.status[part]}"
        return "fitted"


def searched_features(features: Sequence[str]) -> list[str]:
    """Those of a protocol's features that are searched."""
    return [name for name in features if name.removeprefix("paper_") in SEARCHED_FEATURES]


def make_plan(thresholds: Sequence[Threshold]) -> Plan:
    """All ordered pairs of thresholds on different features, sorted by feature and quantile."""
    thresholds = sorted(thresholds, key=lambda one: (one.feature, one.quantile))
    numbers: dict[tuple[Literal, ...], int] = {}

    def part(*literals: Literal) -> int:
        return numbers.setdefault(tuple(sorted(literals)), len(numbers))

    candidates = []
    for (a, first), (b, second) in permutations(list(enumerate(thresholds)), 2):
        if first.feature != second.feature:
            parts = (part((a, 1)), part((a, -1), (b, 1)), part((a, -1), (b, -1)))
            candidates.append(Candidate(a, b, parts))
    return Plan(tuple(thresholds), tuple(candidates), tuple(numbers))


def find_thresholds(features: Sequence[str], columns: Sequence[Floats]) -> list[Threshold]:
    """Quantiles 0.25, 0.5 and 0.75 of each feature among memorized sequences.

    Args:
        features: their names.
        columns: of each, its values among memorized sequences.
    """
    return [
        Threshold(name, quantile, float(np.quantile(column, quantile)))
        for (name, column), quantile in product(zip(features, columns, strict=True), QUANTILES)
        if len(column)
    ]


class PartitionSearch:
    """Fits the parts of a plan on rows, and keeps what is done in a file so that a killed search goes on."""

    def __init__(
        self,
        rows: Rows,
        plan: Plan,
        columns: Sequence[Floats],
        *,
        store: Path | None = None,
        made_of: Sequence[npt.NDArray] = (),
        minimum_class_rows: int = 1,
    ) -> None:
        """Add an indicator for each threshold.

        Args:
            rows: standardised rows.
            plan: what to search.
            columns: of each threshold of the plan, the feature's values (n,), in the unit of the threshold.
            store: a folder for finished parts; a search of the same rows, plan and options takes them from there.
            made_of: what tells `rows`, and the indicators that are added to them later, from those of another search that
                uses the store: values and labels. Checkpoints of one model share all features but what they computed.
            minimum_class_rows: parts with fewer rows of a class are fitted, but cannot be ranked, since nobody fits them later.
        """
        self.rows, self.plan, self.store = rows, plan, store
        self.minimum_class_rows = minimum_class_rows
        self._known_variances: Floats | None = None
        self.indicators = []
        for threshold, column in zip(plan.thresholds, columns, strict=True):
            with np.errstate(invalid="ignore"):
                self.indicators.append(rows.add_indicator((column >= threshold.value).astype(np.uint8)))
        self._digest = hashlib.sha256(repr((plan.thresholds, len(rows))).encode())
        for column in (*columns, *made_of) if store is not None else ():
            self._digest.update(np.ascontiguousarray(column).data)

    def choices(self, extra: Sequence[int] = ()) -> npt.NDArray[np.int32]:
        """Choices (parts, 2 + extra literals) of the plan's parts among the rows for which `extra` literals hold."""
        table = np.zeros((len(self.plan.parts), 2 + len(extra)), np.int32)
        for number, literals in enumerate(self.plan.parts):
            for place, (threshold, sign) in enumerate(literals):
                table[number, place] = sign * (self.indicators[threshold] + 1)
        table[:, 2:] = extra
        return table

    def fit(
        self,
        *,
        extra: Sequence[int] = (),
        balanced: bool = False,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Searched:
        """Fit every part, from the solution for all rows, which is nearer to each than nothing is.

        Columns are standardised over all rows of the part, also where `extra` literals leave some out: one huge value
        among those would else weigh nothing in the fit, and everything where it is measured.
        """
        threads = threads or available_threads()
        choices = self.choices(extra)
        whole = np.array([[*extra, 0]], np.int32)
        start = np.nan_to_num(regression.fit(self.rows, whole, balanced=balanced, threads=threads).coefficients[0])
        variances = self._variances(threads)
        done: list[dict[str, npt.NDArray]] = []
        for first in range(0, len(choices), FITTED_TOGETHER):
            batch = slice(first, first + FITTED_TOGETHER)
            file = self._file(first, (tuple(extra), balanced))
            if file is not None and file.exists():
                with np.load(file, allow_pickle=False) as stored:
                    done.append(dict(stored))
            else:
                # A column's standard deviation c in the part makes b · c of its coefficient b: the penalty (C = 1) on (b · c)².
                fits = regression.fit(
                    self.rows,
                    choices[batch],
                    penalty=variances[batch],
                    active=variances[batch] > 0,
                    balanced=balanced,
                    start=start,
                    threads=threads,
                )
                done.append(
                    {
                        "coefficients": fits.coefficients,
                        "status": fits.status,
                        "n_rows": fits.n_rows,
                        "n_positive": fits.n_positive,
                    }
                )
                _save(file, done[-1])
            if progress is not None:
                progress(min(first + FITTED_TOGETHER, len(choices)), len(choices))
        joined = {name: np.concatenate([part[name] for part in done]) for name in done[0]}
        return Searched(plan=self.plan, minimum_class_rows=self.minimum_class_rows, **joined)

    def losses(self, searched: Searched, extra: Sequence[int], threads: int | None = None) -> Floats:
        """Summed negative log-likelihood (parts,) on the rows for which `extra` literals hold; NaN where no fit counts."""
        threads = threads or available_threads()
        fitted = ~np.isnan(searched.coefficients).any(axis=1) & searched.large_enough
        result = np.full(len(self.plan.parts), np.nan)
        if fitted.any():
            result[fitted] = self.rows.derive(
                self.choices(extra)[fitted],
                searched.coefficients[fitted],
                np.ones((int(fitted.sum()), 2)),
                with_hessian=False,
                threads=threads,
            )[0]
        return result

    def nested_losses(self, folds: Sequence[int], progress: Progress | None = None) -> Floats:
        """Held-out negative log-likelihood (candidates,), summed over folds: what candidates are ranked by.

        Args:
            folds: numbers of the indicators of the folds.

        Returns:
            NaN for candidates of which a part could not be fitted without some fold, or was too small.
        """
        total = np.zeros(len(self.plan.candidates))
        parts = np.array([candidate.parts for candidate in self.plan.candidates])
        for number, fold in enumerate(folds):
            searched = self.fit(extra=[-(fold + 1)])
            total += self.losses(searched, [fold + 1])[parts].sum(axis=1)
            if progress is not None:
                progress(number + 1, len(folds))
        return total

    def _variances(self, threads: int) -> Floats:
        """(parts, d) of the columns among the rows of each part; 0 where a column is constant, and where there is no row."""
        if self._known_variances is None:
            choices, columns = self.choices(), self.rows.n_columns
            # At coefficients of 0 every row weighs p (1 − p) = ¼: the Hessian has sums of squares, and of values in its last row.
            nothing, equal = np.zeros((len(choices), columns)), np.ones((len(choices), 2))
            sums = 4 * self.rows.derive(choices, nothing, equal, threads=threads)[2]
            n = np.maximum(sums[:, -1, -1:], 1)
            squares = np.einsum("kjj->kj", sums)[:, :-1] / n
            variances = squares - (sums[:, -1, :-1] / n) ** 2
            self._known_variances = np.where(variances > CONSTANT * squares, variances, 0.0)
        return self._known_variances

    def _file(self, first: int, options: tuple) -> Path | None:
        if self.store is None:
            return None
        digest = self._digest.copy()
        digest.update(repr((options, first, FITTED_TOGETHER)).encode())
        return self.store / f"parts-{digest.hexdigest()[:24]}.npz"


def _save(file: Path | None, arrays: dict[str, npt.NDArray]) -> None:
    """Write under another name and rename, so that a file is whole or not there."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".writing.npz")
    np.savez(temporary, **arrays)  # type: ignore[arg-type]
    temporary.replace(file)
