"""The published procedure, faults included: what the protocol `paper` fits, and the areas and tests that go with it.

The faults are why the protocol `corrected` exists; each is named where it is repeated. The steps are those of the code
of arXiv 2406.17746.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SEED = 1024
TRAIN_SHARE = 0.8
EVEN_CHANCE = 0.5
NOTHING = np.empty(0)


@dataclass(frozen=True)
class Sample:
    """Rows in the order of the paper's joined table: representative ones, then memorized ones.

    Attributes:
        values: (n, d) features, scaled by `scale_features`.
        labels: (n,) memorized.
        categories: (n,) of str.
        representative: (n,) False for rows of a set that holds memorized sequences only.
    """

    values: Floats
    labels: Bools
    categories: npt.NDArray[np.str_]
    representative: Bools


@dataclass(frozen=True)
class PublishedFit:
    """One regression of the paper's, with what it reports of it.

    Attributes:
        coefficients: (d + 1,), the intercept last.
        areas: ROC-AUC and average precision by split ('train', 'validation', 'test'), from probabilities.
        calibration_error: of the top label on test, 10 equal bins.
        wald: (d + 1,) statistics, the intercept last; empty where the paper has none.
        wald_p: p-values of those.
        n_train, n_train_memorized: rows it was fitted on.
        baseline_areas: ROC-AUC and average precision of the baseline's hard predictions on the same test rows.
        likelihood_ratio, likelihood_ratio_p: against the baseline, from hard predictions.
        fitted_rows, validation_rows: numbers of the sample's rows.
    """

    coefficients: Floats
    areas: dict[str, tuple[float, float]]
    calibration_error: float
    wald: Floats
    wald_p: Floats
    n_train: int
    n_train_memorized: int
    fitted_rows: npt.NDArray[np.int64]
    validation_rows: npt.NDArray[np.int64]
    baseline_areas: tuple[float, float] | None = None
    likelihood_ratio: float | None = None
    likelihood_ratio_p: float | None = None


@dataclass(frozen=True)
class PublishedTaxonomy:
    """The baseline and the models of one partition, as published.

    Attributes:
        train, test: numbers of the sample's rows.
        baseline: the fit on all training rows.
        parts: the fit of each part.
        skipped: why a part has none.
    """

    train: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]
    baseline: PublishedFit
    parts: dict[str, PublishedFit]
    skipped: dict[str, str] = field(default_factory=dict)


def scale_features(values: Floats, continuous: Bools) -> tuple[Floats, Floats, Floats]:
    """Standardise the continuous columns over all rows: the paper's scaler has seen the test rows, too.

    Args:
        values: (n, d).
        continuous: (d,) columns that are scaled.

    Returns:
        The scaled values, and the (d,) means and scales (0 and 1 for columns that are not scaled).
    """
    mean = np.where(continuous, values.mean(axis=0), 0.0)
    scale = np.where(continuous, values.std(axis=0), 1.0)
    scale[scale == 0] = 1.0
    return (values - mean) / scale, mean, scale


def split(sample: Sample) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Training and test rows: a fifth of the representative rows, by label and category; memorized sets only train.

    A continuation that occurs twice may be on both sides.
    """
    from sklearn.model_selection import train_test_split

    own = np.flatnonzero(sample.representative)
    strata = [f"{label}{category}" for label, category in zip(sample.labels[own], sample.categories[own], strict=True)]
    train, test = train_test_split(own, test_size=1 - TRAIN_SHARE, random_state=SEED, stratify=strata)
    return np.concatenate([train, np.flatnonzero(~sample.representative)]), test


def fit_taxonomy(sample: Sample, parts: npt.NDArray[np.str_] | None = None) -> PublishedTaxonomy:
    """Fit the baseline, and one model on each part.

    Args:
        sample: the rows.
        parts: (n,) the part of each row; its category by default.
    """
    train, test = split(sample)
    baseline = fit_published(sample, train, test, test)
    parts = sample.categories if parts is None else parts
    fits: dict[str, PublishedFit] = {}
    skipped: dict[str, str] = {}
    for part in sorted(set(parts.tolist())):
        own_train, own_test = train[parts[train] == part], test[parts[test] == part]
        labels = sample.labels[own_train]
        if min(np.count_nonzero(labels), np.count_nonzero(~labels)) < 2:
            skipped[part] = f"{labels.sum()} memorized and {(~labels).sum()} other training rows: both are needed"
            continue
        fits[part] = fit_published(sample, own_train, own_test, test, baseline)
    return PublishedTaxonomy(train, test, baseline, fits, skipped)


def fit_published(
    sample: Sample,
    train: npt.NDArray[np.int64],
    own_test: npt.NDArray[np.int64],
    test: npt.NDArray[np.int64],
    baseline: PublishedFit | None = None,
) -> PublishedFit:
    """Fit one regression and compute what the paper reports of it (step 6, and with a baseline step 7)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    fitted, validation = train_test_split(
        train, test_size=1 - TRAIN_SHARE, random_state=SEED, stratify=sample.labels[train]
    )
    regression = LogisticRegression(
        C=1.0, class_weight="balanced", solver="lbfgs", max_iter=10_000, random_state=SEED
    ).fit(sample.values[fitted], sample.labels[fitted])
    coefficients = np.append(regression.coef_[0], regression.intercept_[0])
    areas = {
        name: areas_under_curves(sample.labels[rows], probabilities(coefficients, sample.values[rows]))
        for name, rows in (("train", fitted), ("validation", validation), ("test", own_test))
    }
    p_own = probabilities(coefficients, sample.values[own_test])
    wald, wald_p = wald_statistics(coefficients, sample.values[test], must_vary=baseline is not None)
    labels = sample.labels[fitted]
    against: dict[str, object] = {}
    if baseline is not None:
        baseline_hard = probabilities(baseline.coefficients, sample.values[own_test]) > EVEN_CHANCE
        ratio, p_value = likelihood_ratio(sample.labels[own_test], baseline_hard, p_own > EVEN_CHANCE)
        against = {
            "baseline_areas": areas_under_curves(sample.labels[own_test], baseline_hard),
            "likelihood_ratio": ratio,
            "likelihood_ratio_p": p_value,
        }
    return PublishedFit(
        coefficients=coefficients,
        areas=areas,
        calibration_error=top_label_error(sample.labels[own_test], p_own, 10),
        wald=wald,
        wald_p=wald_p,
        n_train=len(fitted),
        n_train_memorized=int(labels.sum()),
        fitted_rows=fitted,
        validation_rows=validation,
        **against,  # type: ignore[arg-type]
    )


def probabilities(coefficients: Floats, values: Floats) -> Floats:
    """Predicted probabilities (n,) for coefficients (d + 1,), the intercept last."""
    from scipy.special import expit

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


FOLDS = 100
FOLD_MEASURES = ("roc_auc", "pr_auc", "precision", "recall", "calibration_error")


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
