"""The rows of taxonomy_tests: does a taxonomy explain more than one model for all, and could that be chance?"""

from __future__ import annotations

import numpy as np
from scipy import stats

from memtax.taxonomy import published, regression
from memtax.taxonomy.corrected import BASELINE, FITTED, Training, find_columns
from memtax.taxonomy.frame import Frame, Scope
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.tables import Row
from memtax.taxonomy.taxonomies import TAXONOMY, scopes_of
from memtax.taxonomy.training import published_sample

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
    training = Training(frame, settings)
    scopes = scopes_of(training, searched)
    fits = training.fit(scopes)
    if not fits or np.isnan(fits[0].intercept):
        return []
    baseline = fits[0]
    losses = fold_losses(training, scopes)
    rows: list[Row] = []
    for predictor in dict.fromkeys(scope.predictor for scope in scopes[1:]):
        own = [fit for fit in fits if fit.scope.predictor == predictor]
        shared = {"predictor": predictor, "compared_with": BASELINE, "scope": "all"}
        chosen = "; the parts were chosen by looking at the labels" if predictor in ("tree", "searched") else ""
        missing = [fit for fit in (baseline, *own) if np.isnan(fit.log_likelihood)]
        ratio: Row = {"test": LIKELIHOOD_RATIO, "method": NESTED, "n": baseline.n_rows}
        if missing or sum(fit.n_rows for fit in own) != baseline.n_rows:
            names = ", ".join(fit.scope.name for fit in missing) or "the parts do not cover all rows"
            ratio["status"] = f"no maximum of the likelihood: {names}"
        else:
            statistic = 2 * (sum(fit.log_likelihood for fit in own) - baseline.log_likelihood)
            freedom = sum(fit.n_parameters for fit in own) - baseline.n_parameters
            ratio |= {
                "statistic": statistic,
                "degrees_of_freedom": freedom,
                "p_value": stats.chi2.sf(statistic, freedom) if freedom > 0 else np.nan,
                "status": "tested" + chosen,
            }
        rows.append(shared | ratio)
        rows.append(shared | _wilcoxon(losses[BASELINE], losses[predictor], chosen))
    return rows


def fold_losses(training: Training, scopes: list[Scope]) -> dict[str, np.ndarray]:
    """Mean log-loss (folds,) of every predictor on each fold, refitted on the others; NaN where a part has no fit."""
    frame, rows = training.frame, training.rows
    literals = training.literals(scopes)[:, 0]
    masks = [scope.rule.holds(frame) for scope in scopes]
    result: dict[str, np.ndarray] = {}
    for number, fold in enumerate(training.folds):
        outside = frame.fold != number
        columns = [find_columns(training.standardized[mask & outside]) for mask in masks]
        choices = np.array([[literal, -(fold + 1)] for literal in literals], np.int32)
        fits = regression.fit(
            rows,
            choices,
            penalty=np.array([column.variance for column in columns]),
            active=np.array([column.active for column in columns]),
        )
        coefficients = np.nan_to_num(fits.coefficients)
        held_out = np.array([[literal, fold + 1] for literal in literals], np.int32)
        loss = rows.derive(held_out, coefficients, np.ones((len(scopes), 2)), with_hessian=False)[0]
        # A part without a fit is answered by the baseline.
        unfitted = np.isnan(fits.coefficients).any(axis=1)
        if unfitted.any():
            again = np.repeat(coefficients[:1], int(unfitted.sum()), axis=0)
            loss[unfitted] = rows.derive(
                held_out[unfitted], again, np.ones((len(again), 2)), with_hessian=False
            )[0]
        n = np.count_nonzero(~outside)
        for predictor in dict.fromkeys(scope.predictor for scope in scopes):
            own = [k for k, scope in enumerate(scopes) if scope.predictor == predictor]
            value = loss[own].sum() / n if n else np.nan
            result.setdefault(predictor, np.full(len(training.folds), np.nan))[number] = value
    return result


def _wilcoxon(baseline: np.ndarray, other: np.ndarray, chosen: str) -> Row:
    row: Row = {"test": WILCOXON, "method": REFITTED, "n": len(baseline)}
    gain = baseline - other
    gain = gain[~np.isnan(gain)]
    if len(gain) < 2 or not np.any(gain):
        return row | {"status": "no differences to rank"}
    result = stats.wilcoxon(gain)
    status = f"median gain {np.median(gain):.6g} nats a row; folds share training rows, so that they are not independent"
    return row | {"statistic": result.statistic, "p_value": result.pvalue, "status": status + chosen}


def _published_rows(frame: Frame) -> list[Row]:
    sample, used, _, _ = published_sample(frame)
    if not len(used):
        return []
    taxonomy = published.fit_taxonomy(sample)
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
