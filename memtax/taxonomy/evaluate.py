"""How well predicted probabilities of memorization hold, by category and over all rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from memtax.taxonomy.fit import CATEGORIES

ALL_ROWS = "all"
# Adaptive bins: each holds the same number of rows, so that none is empty however the probabilities are spread.
CALIBRATION_BINS = 10
DECISION_THRESHOLD = 0.5

MEASURES = ("roc_auc", "pr_auc", "precision", "recall", "f1", "brier_score", "calibration_error")
SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("revision", pa.string()),
        ("predictor", pa.string()),
        ("category", pa.string()),
        ("split", pa.string()),
        ("status", pa.string()),
        ("n_rows", pa.int64()),
        ("n_memorized", pa.int64()),
        ("n_fallback_rows", pa.int64()),
        *[(name, pa.float64()) for name in MEASURES],
    ]
)


def evaluate_predictions(predictions: pa.Table) -> pa.Table:
    """Measure every predictor on each category and on all rows, for every model, revision and split.

    Args:
        predictions: columns model, revision, predictor, category, split, memorized, probability, is_fallback.

    Returns:
        One row per model, revision, predictor, category (and 'all') and split, as `SCHEMA` says. Where the rows are of one
        class, measures that need both are NULL and `status` says why; nothing is left out.
    """
    results = []
    keys = ["model", "revision", "predictor", "split"]
    groups = predictions.select(keys).group_by(keys).aggregate([]).to_pylist()
    for group in sorted(groups, key=lambda row: tuple(row[key] for key in keys)):
        own = predictions
        for key in keys:
            own = own.filter(pc.equal(own[key], group[key]))
        for category in (ALL_ROWS, *CATEGORIES):
            part = own if category == ALL_ROWS else own.filter(pc.equal(own["category"], category))
            known = part.filter(pc.is_valid(part["probability"]))
            labels = np.asarray(known["memorized"].to_numpy(), dtype=bool)
            probabilities = known["probability"].to_numpy()
            results.append(
                {
                    **group,
                    "category": category,
                    "status": _status(part.num_rows, labels),
                    "n_rows": len(labels),
                    "n_memorized": int(labels.sum()),
                    "n_fallback_rows": pc.sum(known["is_fallback"].cast(pa.int64())).as_py() or 0,
                    **measure(labels, probabilities),
                }
            )
    return pa.Table.from_pylist(results, schema=SCHEMA)


def measure(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float | None]:
    """The measures of one set of predictions, from probabilities (hard labels only where the name says so).

    Args:
        labels: bool [rows], True where memorized.
        probabilities: float64 [rows], in 0..1.

    Returns:
        ROC-AUC, average precision, precision, recall and F1 at 0.5, Brier score and calibration error; None where the
        rows do not define one (areas and recall need both classes, precision needs a positive prediction).
    """
    from sklearn import metrics

    nothing: dict[str, float | None] = dict.fromkeys(MEASURES)
    if len(labels) == 0:
        return nothing
    result = nothing | {
        "brier_score": float(np.mean((probabilities - labels) ** 2)),
        "calibration_error": calibration_error(labels, probabilities),
    }
    predicted = probabilities > DECISION_THRESHOLD
    hits = int(np.count_nonzero(predicted & labels))
    if predicted.any():
        result["precision"] = hits / int(np.count_nonzero(predicted))
    if labels.any():
        result["recall"] = hits / int(np.count_nonzero(labels))
        result["f1"] = 2 * hits / int(np.count_nonzero(predicted) + np.count_nonzero(labels))
    if labels.any() and not labels.all():
        result["roc_auc"] = float(metrics.roc_auc_score(labels, probabilities))
        result["pr_auc"] = float(metrics.average_precision_score(labels, probabilities))
    return result


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error over bins of equal size: the mean of |share memorized − mean probability| over rows.

    Args:
        labels: bool [rows].
        probabilities: float64 [rows].
        bins: how many; fewer where there are fewer rows.
    """
    order = np.argsort(probabilities, kind="stable")
    error = 0.0
    for part in np.array_split(order, min(bins, len(order))):
        error += abs(labels[part].mean() - probabilities[part].mean()) * len(part)
    return error / len(order)


def _status(n_rows: int, labels: np.ndarray) -> str:
    if n_rows == 0:
        return "no rows"
    if len(labels) == 0:
        return "no predictions: no regression could be fitted"
    if not labels.any():
        return "no memorized rows"
    return "evaluated" if not labels.all() else "only memorized rows"
