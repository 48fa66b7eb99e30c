"""What the published procedure reports of a fit, faults included: areas, calibration errors, tests and means over folds.

Each fault is named where it is repeated; the steps are those of the code of arXiv 2406.17746.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import expit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SEED = 1024
EVEN_CHANCE = 0.5
NOTHING = np.empty(0)
FOLDS = 100
ALL_ROWS = "all"
FOLD_MEASURES = ("roc_auc", "pr_auc", "precision", "recall", "calibration_error")


def probabilities(coefficients: Floats, values: Floats) -> Floats:
    """Predicted probabilities (n,) for coefficients (d + 1,), the intercept last."""
    return np.asarray(expit(values @ coefficients[:-1] + coefficients[-1]))


def areas_under_curves(labels: Bools, scores: npt.NDArray) -> tuple[float, float]:
    """ROC-AUC and average precision; NaN where the rows are of one class."""
    from sklearn import metrics

    if labels.all() or not labels.any():
        return float("nan"), float("nan")
    return float(metrics.roc_auc_score(labels, scores)), float(metrics.average_precision_score(labels, scores))


def top_label_error(labels: Bools, p: Floats, bins: int) -> float:
    """The paper's calibration error: |accuracy − confidence| of the likelier label, over equal bins (low, high]."""
    if len(labels) == 0:
        return float("nan")
    confidence = np.maximum(p, 1 - p)
    right = (p > EVEN_CHANCE) == labels
    places = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    off = np.bincount(places, right - confidence, bins)
    return float(np.abs(off).sum() / len(labels))


def wald_statistics(coefficients: Floats, values: Floats, *, must_vary: bool) -> tuple[Floats, Floats]:
    """The paper's Wald tests: information of the test rows, without the class weights and penalty of the fit.

    Args:
        coefficients: (d + 1,), the intercept last.
        values: (n, d) of the test rows.
        must_vary: whether a column with one value leaves no statistics at all, as for category models.
    """
    if must_vary and len(values) and np.any(np.ptp(values, axis=0) == 0):
        return NOTHING, NOTHING
    p = probabilities(coefficients, values)
    with_ones = np.column_stack([values, np.ones(len(values))])
    try:
        covariance = np.linalg.inv(with_ones.T @ (with_ones * (p * (1 - p))[:, None]))
    except np.linalg.LinAlgError:
        return NOTHING, NOTHING
    statistics = coefficients**2 / np.diag(covariance)
    return statistics, 2 * (1 - stats.norm.cdf(np.sqrt(statistics)))


def likelihood_ratio(labels: Bools, baseline: Bools, model: Bools) -> tuple[float, float]:
    """The paper's likelihood ratio: both likelihoods from hard predictions, of models that are not nested.

    Returns:
        −2 (LL of the baseline − LL of the model), and its p-value by chi-square with one degree of freedom.
    """
    epsilon = np.finfo(np.float64).eps

    def log_likelihood(predicted: Bools) -> float:
        p = np.clip(predicted.astype(np.float64), epsilon, 1 - epsilon)
        return float(np.sum(np.where(labels, np.log(p), np.log(1 - p))))

    ratio = -2 * (log_likelihood(baseline) - log_likelihood(model))
    return ratio, float(stats.chi2.sf(ratio, 1))


def fold_metrics(labels: Bools, p: Floats, seed: int = SEED) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation over the *large* sides of a shuffled 100-fold split (step 8).

    Sides share 98 % of their rows, so that the deviations say nothing about uncertainty. The paper's split has no seed;
    this one has. Hard predictions make every area a function of four counts, which are taken fold by fold.

    Returns:
        measure -> (mean, standard deviation); NaN where every side has one class.
    """
    n = len(labels)
    nothing = dict.fromkeys(FOLD_MEASURES, (float("nan"), float("nan")))
    if n < FOLDS:
        return nothing
    order = np.random.default_rng(seed).permutation(n)
    fold = np.empty(n, np.int64)
    for number, part in enumerate(np.array_split(order, FOLDS)):
        fold[part] = number
    hard = p > EVEN_CHANCE

    def large(chosen: Bools) -> Floats:
        counts = np.bincount(fold, chosen, FOLDS)
        return counts.sum() - counts

    hits, false_alarms = large(hard & labels), large(hard & ~labels)
    positives, negatives = large(labels), large(~labels)
    whole = (positives > 0) & (negatives > 0)
    if not whole.any():
        return nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = hits / positives
        precision = np.where(hits + false_alarms > 0, hits / (hits + false_alarms), 0.0)
        roc_auc = (recall + 1 - false_alarms / negatives) / 2
        pr_auc = recall * precision + (1 - recall) * positives / (positives + negatives)
    confidence = np.maximum(p, 1 - p)
    places = np.clip(np.ceil(confidence * 5).astype(int) - 1, 0, 4)
    off = np.bincount(fold * 5 + places, (hard == labels) - confidence, FOLDS * 5).reshape(FOLDS, 5)
    error = np.abs(off.sum(axis=0) - off).sum(axis=1) / (positives + negatives)
    values = (roc_auc, pr_auc, precision, recall, error)
    return {
        name: (float(value[whole].mean()), float(value[whole].std()))
        for name, value in zip(FOLD_MEASURES, values, strict=True)
    }


def fold_metrics_by_category(
    labels: Bools, categories: npt.NDArray[np.str_], p: Floats
) -> dict[str, dict[str, tuple[float, float]]]:
    """`fold_metrics` of all rows, as ALL_ROWS, and of those of each category: step 8, whoever predicted."""
    parts = {ALL_ROWS: np.ones(len(labels), bool)}
    parts |= {name: categories == name for name in sorted(set(categories.tolist()))}
    return {name: fold_metrics(labels[chosen], p[chosen]) for name, chosen in parts.items()}
