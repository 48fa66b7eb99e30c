"""The published procedure, faults included: what the protocol `paper` fits, and on which rows.

The faults are why the protocol `corrected` exists; each is named where it is repeated. The steps are those of the code
of arXiv 2406.17746.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from memtax.taxonomy.published_measures import (
    EVEN_CHANCE,
    SEED,
    areas_under_curves,
    likelihood_ratio,
    probabilities,
    top_label_error,
    wald_statistics,
)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

TRAIN_SHARE = 0.8
# A fifth of a part's training rows is held out by label: of fewer rows, both labels have no place there.
FEWEST_ROWS = 6


class TooFewRows(ValueError):
    """The procedure cannot be followed on some rows; the message says what is missing."""


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
    if not len(values):  # every row misses a feature
        return values, np.zeros(len(continuous)), np.ones(len(continuous))
    mean = np.where(continuous, values.mean(axis=0), 0.0)
    scale = np.where(continuous, values.std(axis=0), 1.0)
    scale[scale == 0] = 1.0
    return (values - mean) / scale, mean, scale


def split(sample: Sample) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Training and test rows: a fifth of the representative rows, by label and category; memorized sets only train.

    A continuation that occurs twice may be on both sides. A row that is alone in its label and category, of which the paper's
    tables have none, trains.

    Raises:
        TooFewRows: a fifth has no place for a row of each label and category.
    """
    from sklearn.model_selection import train_test_split

    own = np.flatnonzero(sample.representative)
    kinds = [f"{label}{category}" for label, category in zip(sample.labels[own], sample.categories[own], strict=True)]
    _, codes, sizes = np.unique(np.array(kinds, dtype=str), return_inverse=True, return_counts=True)
    shared = sizes[codes] > 1
    n_kinds = np.count_nonzero(sizes > 1)
    if not n_kinds or np.ceil((1 - TRAIN_SHARE) * np.count_nonzero(shared)) < n_kinds:
        raise TooFewRows(
            f"{len(own)} representative rows with all features: too few to hold out a fifth of each category"
        )
    train, test = train_test_split(own[shared], test_size=1 - TRAIN_SHARE, random_state=SEED, stratify=codes[shared])
    return np.concatenate([train, own[~shared], np.flatnonzero(~sample.representative)]), test


def too_few(labels: Bools) -> str | None:
    """In words why no regression can be fitted on training rows with these labels (n,); None where one can."""
    memorized, others = np.count_nonzero(labels), np.count_nonzero(~labels)
    if min(memorized, others) >= 2 and len(labels) >= FEWEST_ROWS:
        return None
    return (
        f"{memorized} memorized and {others} other training rows: both are needed, two of each and {FEWEST_ROWS} in all"
    )


def fit_taxonomy(sample: Sample, parts: npt.NDArray[np.str_] | None = None) -> PublishedTaxonomy:
    """Fit the baseline, and one model on each part.

    Args:
        sample: the rows.
        parts: (n,) the part of each row; its category by default.

    Raises:
        TooFewRows: there is no baseline.
    """
    train, test = split(sample)
    if fault := too_few(sample.labels[train]):
        raise TooFewRows(fault)
    baseline = fit_published(sample, train, test, test)
    parts = sample.categories if parts is None else parts
    fits: dict[str, PublishedFit] = {}
    skipped: dict[str, str] = {}
    for part in sorted(set(parts.tolist())):
        own_train, own_test = train[parts[train] == part], test[parts[test] == part]
        if fault := too_few(sample.labels[own_train]):
            skipped[part] = fault
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
