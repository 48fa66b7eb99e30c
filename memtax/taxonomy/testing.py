"""The rows of taxonomy_tests: does a taxonomy explain more than one model for all, and could that be chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from memtax.taxonomy import regression
from memtax.taxonomy.columns import find_columns, standardized_rows
from memtax.taxonomy.corrected import CLUSTERED, FITTED, Training
from memtax.taxonomy.frame import Frame, Scope, sample_groups, take_features, take_rows
from memtax.taxonomy.prediction import BASELINE
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.tables import Row
from memtax.taxonomy.taxonomies import TAXONOMY, scopes_of
from memtax.taxonomy.training import published_sample, published_taxonomy

Floats = npt.NDArray[np.float64]

LIKELIHOOD_RATIO = "likelihood ratio"
WILCOXON = "Wilcoxon signed rank"
NESTED = "nested models without penalty: the baseline, and interactions of every feature with the part"
REFITTED = "mean log-loss on held-out folds of groups, both refitted on the others"
PUBLISHED = "as published: from hard predictions, of models that are not nested"


def test_rows(frame: Frame, settings: Settings, searched: tuple[Scope, ...]) -> list[Row]:
    """The likelihood ratio and the paired test of every taxonomy against the baseline, on the training rows.

    The part's own regressions together are the baseline with interactions of all features and the intercept with the part,
    so that the models are nested: 2 (sum of their log-likelihoods − the baseline's) is chi-square with as many degrees of
    freedom as there are parameters more (Wilks). A taxonomy that was chosen by looking at the labels (tree, searched) has
    more freedom than that: its p-value is too small, and the status says so.
    """
    if settings.protocol == "paper":
        return _published_rows(frame)
    scopes = scopes_of(Training(frame, settings), searched)
    # With all features: were each scope to drop inflated ones of its own, the models would not be nested.
    training = Training(frame, replace(settings, maximum_inflation=0.0))
    fits = training.fit(scopes, likelihoods=True)
    if not fits or np.isnan(fits[0].intercept):
        return []
    baseline = fits[0]
    # Copies of a continuation add to the likelihood as if they were rows of their own.
    repeated = (
        "; groups have several rows, so that the p-value is too small" if baseline.errors_from == CLUSTERED else ""
    )
    losses = fold_losses(Training(sample_groups(frame, settings.search_rows), settings), scopes)
    rows: list[Row] = []
    for predictor in dict.fromkeys(scope.predictor for scope in scopes[1:]):
        own = [fit for fit in fits if fit.scope.predictor == predictor]
        shared = {"predictor": predictor, "compared_with": BASELINE, "scope": "all"}
        chosen = "; the parts were chosen by looking at the labels" if predictor in ("tree", "searched") else ""
        missing = [fit for fit in (baseline, *own) if np.isnan(fit.log_likelihood)]
        ratio: Row = {"test": LIKELIHOOD_RATIO, "method": NESTED, "n": baseline.n_rows}
        if missing or sum(fit.n_rows for fit in own) != baseline.n_rows:
            names = ", ".join(fit.scope.name + (f" (for {fit.endless})" if fit.endless else "") for fit in missing)
            none = "not tested: the parts do not cover all rows, so that the models are not of the same ones"
            ratio["status"] = f"no maximum of the likelihood: {names}" if missing else none
        else:
            statistic = 2 * (sum(fit.log_likelihood for fit in own) - baseline.log_likelihood)
            freedom = sum(fit.n_parameters for fit in own) - baseline.n_parameters
            ratio |= {
                "statistic": statistic,
                "degrees_of_freedom": freedom,
                "p_value": stats.chi2.sf(statistic, freedom) if freedom > 0 else np.nan,
                "status": "tested" + chosen + repeated,
            }
        rows.append(shared | ratio)
        rows.append(shared | _wilcoxon(losses[BASELINE], losses[predictor], chosen))
    return rows


def fold_losses(training: Training, scopes: Sequence[Scope]) -> dict[str, Floats]:
    """Mean log-loss (folds,) of every predictor on each fold, refitted on the others.

    A part that cannot be fitted without the fold is answered by the baseline, as in predictions.
    """
    frame = training.frame
    log_odds: dict[str, Floats] = {}
    for scope in scopes:
        own = _held_out_log_odds(training, scope)
        so_far = log_odds.setdefault(scope.predictor, log_odds[BASELINE].copy() if log_odds else own)
        np.copyto(so_far, own, where=~np.isnan(own))
    sign = np.where(frame.labels, -1.0, 1.0)
    folds = np.arange(training.settings.folds)
    sizes = np.bincount(frame.fold, minlength=len(folds))
    return {
        predictor: np.bincount(frame.fold, np.logaddexp(0, sign * values), len(folds)) / np.maximum(sizes, 1)
        for predictor, values in log_odds.items()
    }


def _held_out_log_odds(training: Training, scope: Scope) -> Floats:
    """(n,) log-odds of the scope's rows by fits without the row's fold; NaN elsewhere and where there is no fit."""
    frame = training.frame
    result = np.full(len(frame), np.nan)
    chosen = scope.rule.holds(frame)
    values = take_rows(training.values, chosen)
    columns = find_columns(values)
    if not columns.active.any():
        return result
    rows = standardized_rows(values, frame.labels[chosen], columns)
    fold = frame.fold[chosen]
    numbers = [rows.add_indicator((fold == number).astype(np.uint8)) for number in range(training.settings.folds)]
    fits = regression.fit(rows, np.array([[-(number + 1)] for number in numbers], np.int32))
    enough = np.minimum(fits.n_positive, fits.n_rows - fits.n_positive) >= training.settings.minimum_class_rows
    coefficients = np.where(enough[:, None], fits.coefficients, np.nan)[fold]
    active = columns.active
    standardized = (take_features(values, active) - columns.mean[active]) / columns.scale[active]
    result[chosen] = np.einsum("ij,ij->i", standardized, coefficients[:, :-1]) + coefficients[:, -1]
    return result


def _wilcoxon(baseline: Floats, other: Floats, chosen: str) -> Row:
    row: Row = {"test": WILCOXON, "method": REFITTED, "n": len(baseline)}
    gain = baseline - other
    gain = gain[~np.isnan(gain)]
    if len(gain) < 2 or not np.any(gain):
        return row | {"status": "no differences to rank"}
    result = stats.wilcoxon(gain)
    status = (
        f"median gain {np.median(gain):.6g} nats a row; folds share training rows, so that they are not independent"
    )
    return row | {"statistic": result.statistic, "p_value": result.pvalue, "status": status + chosen}


def _published_rows(frame: Frame) -> list[Row]:
    taxonomy = published_taxonomy(published_sample(frame)[0])
    if taxonomy is None:
        return []
    rows: list[Row] = []
    for name, fit in taxonomy.parts.items():
        rows.append(
            {
                **{"predictor": TAXONOMY, "compared_with": BASELINE, "scope": name, "test": LIKELIHOOD_RATIO},
                **{"method": PUBLISHED, "statistic": fit.likelihood_ratio, "degrees_of_freedom": 1.0},
                **{"p_value": fit.likelihood_ratio_p, "n": fit.n_train, "status": FITTED},
            }
        )
    return rows
