"""The regressions: one over all sequences (the baseline) and one over each category, for every model and revision."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from memtax import __version__

CATEGORIES = ("recitation", "reconstruction", "recollection")
BASELINE = "baseline"

# Half the squared length of the coefficients is added to the loss once (C = 1), as in the paper.
INVERSE_REGULARISATION = 1.0
MAXIMUM_ITERATIONS = 10_000

SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("revision", pa.string()),
        ("scope", pa.string()),
        ("feature", pa.string()),
        ("status", pa.string()),
        ("coefficient", pa.float64()),
        ("standardized_coefficient", pa.float64()),
        ("intercept", pa.float64()),
        ("feature_mean", pa.float64()),
        ("feature_scale", pa.float64()),
        ("n_train_rows", pa.int64()),
        ("n_train_memorized", pa.int64()),
        ("n_rows_without_features", pa.int64()),
        ("versions", pa.string()),
    ]
)


@dataclass(frozen=True)
class Fit:
    """One regression. Arrays have one entry per feature, NaN for a feature that could not be used."""

    status: str
    coefficient: np.ndarray
    standardized: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    intercept: float
    n_rows: int
    n_memorized: int
    n_dropped: int


def fit_models(rows: pa.Table, features: Sequence[str], minimum_class_rows: int) -> pa.Table:
    """Fit the baseline and the category models of every model and revision on their training rows.

    Each is an L2-regularised logistic regression on standardised features without class weights, so that its
    probabilities are those of the rows it saw (the paper weights the classes, which its calibration shows).

    Args:
        rows: columns model, revision, category, split ('train' or 'test'), memorized, and the features as DOUBLE.
        features: names of the feature columns.
        minimum_class_rows: with fewer training rows of either class nothing is fitted; `status` says so.

    Returns:
        One row per model, revision, scope and feature (`SCHEMA`). `coefficient` and `intercept` are in the features' own
        units: log-odds = intercept + sum of coefficient × feature. A feature that is constant or has no values has NULL
        coefficients.
    """
    results: list[dict[str, object]] = []
    versions = json.dumps({"memtax": __version__} | {name: version(name) for name in ("scikit-learn", "numpy")})
    trained = rows.filter(pc.equal(rows["split"], "train"))
    pairs = rows.select(["model", "revision"]).group_by(["model", "revision"]).aggregate([]).to_pylist()
    for pair in sorted(pairs, key=lambda row: (row["model"], row["revision"])):
        own = trained.filter(
            pc.and_(pc.equal(trained["model"], pair["model"]), pc.equal(trained["revision"], pair["revision"]))
        )
        for scope in (BASELINE, *CATEGORIES):
            part = own if scope == BASELINE else own.filter(pc.equal(own["category"], scope))
            fit = fit_one(_matrix(part, features), _labels(part), minimum_class_rows)
            results.extend(_as_rows(pair["model"], pair["revision"], scope, features, fit, versions))
    return pa.Table.from_pylist(results, schema=SCHEMA)


def fit_one(matrix: np.ndarray, labels: np.ndarray, minimum_class_rows: int) -> Fit:
    """Fit one regression.

    Args:
        matrix: float64 [rows, features]; a NaN is a value that is not known.
        labels: bool [rows].
        minimum_class_rows: see `fit_models`.

    Returns:
        A `Fit` whose status is 'fitted', or says in words why there is none.
    """
    from sklearn.linear_model import LogisticRegression

    usable = ~np.all(np.isnan(matrix), axis=0) if len(matrix) else np.zeros(matrix.shape[1], dtype=bool)
    complete = ~np.any(np.isnan(matrix[:, usable]), axis=1)
    n_dropped = int(np.count_nonzero(~complete))
    matrix, labels = matrix[complete], labels[complete]
    positives = int(np.count_nonzero(labels))
    empty = np.full(matrix.shape[1], np.nan)
    smallest = min(positives, len(labels) - positives)
    if smallest < minimum_class_rows:
        status = (
            f"too few examples: {positives} memorized and {len(labels) - positives} other training rows, "
            f"{minimum_class_rows} of each needed"
        )
        return Fit(status, empty, empty, empty, empty, float("nan"), len(labels), positives, n_dropped)

    mean, scale = matrix.mean(axis=0), matrix.std(axis=0)
    usable &= scale > 0
    standardized = (matrix[:, usable] - mean[usable]) / scale[usable]
    regression = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=MAXIMUM_ITERATIONS, tol=1e-8)
    regression.fit(standardized, labels)
    weights = empty.copy()
    weights[usable] = regression.coef_[0]
    own_units = empty.copy()
    own_units[usable] = regression.coef_[0] / scale[usable]
    intercept = float(regression.intercept_[0] - np.sum(own_units[usable] * mean[usable]))
    return Fit("fitted", own_units, weights, mean, scale, intercept, len(labels), positives, n_dropped)


def _matrix(rows: pa.Table, features: Sequence[str]) -> np.ndarray:
    columns = [pc.fill_null(rows[name].cast(pa.float64()), float("nan")).to_numpy() for name in features]
    return np.column_stack(columns) if columns else np.empty((rows.num_rows, 0))


def _labels(rows: pa.Table) -> np.ndarray:
    return np.asarray(rows["memorized"].to_numpy(), dtype=bool)


def _as_rows(
    model: str, revision: str, scope: str, features: Sequence[str], fit: Fit, versions: str
) -> list[dict[str, object]]:
    return [
        {
            "model": model,
            "revision": revision,
            "scope": scope,
            "feature": feature,
            "status": fit.status,
            "coefficient": _known(fit.coefficient[index]),
            "standardized_coefficient": _known(fit.standardized[index]),
            "intercept": _known(fit.intercept),
            "feature_mean": _known(fit.mean[index]),
            "feature_scale": _known(fit.scale[index]),
            "n_train_rows": fit.n_rows,
            "n_train_memorized": fit.n_memorized,
            "n_rows_without_features": fit.n_dropped,
            "versions": versions,
        }
        for index, feature in enumerate(features)
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
