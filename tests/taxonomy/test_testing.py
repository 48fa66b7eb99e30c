"""The tests of a taxonomy against the baseline, held against slow references."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from memtax.taxonomy import testing
from memtax.taxonomy.corrected import Training
from memtax.taxonomy.frame import CATEGORIES, Frame, Rule, Scope
from memtax.taxonomy.prediction import everything
from memtax.taxonomy.settings import Settings
from tests.taxonomy.samples import make_frame, with_column

SETTINGS = Settings(tree_leaves=0)


def find(rows: list[dict], test: str, predictor: str = "taxonomy") -> dict:
    return next(row for row in rows if row["test"] == test and row["predictor"] == predictor)


def test_the_likelihood_ratio_is_that_of_nested_models_in_statsmodels() -> None:
    sm = pytest.importorskip("statsmodels.api")
    frame = make_frame(1500)
    train = frame.take(~frame.test)
    inside = [train.columns["category"] == name for name in CATEGORIES[1:]]
    apart = np.column_stack([train.values, *(np.column_stack([part, train.values * part[:, None]]) for part in inside)])
    small, large = (
        sm.Logit(train.labels.astype(float), sm.add_constant(values)).fit(disp=0, method="newton", maxiter=100)
        for values in (train.values, apart)
    )
    found = find(testing.test_rows(frame, SETTINGS, ()), testing.LIKELIHOOD_RATIO)
    assert found["statistic"] == pytest.approx(2 * (large.llf - small.llf), rel=1e-6)
    assert found["degrees_of_freedom"] == large.df_model - small.df_model == 8
    assert found["status"] == "tested"


def test_a_limit_on_inflation_leaves_the_models_nested() -> None:
    frame = make_frame(1500)
    frame = with_column(frame, "echo", frame.values[:, 0] + 0.1 * np.random.default_rng(0).normal(size=len(frame)))
    free, limited = (
        find(testing.test_rows(frame, replace(SETTINGS, maximum_inflation=limit), ()), testing.LIKELIHOOD_RATIO)
        for limit in (0.0, 5.0)
    )
    assert limited["statistic"] == pytest.approx(free["statistic"])
    assert limited["degrees_of_freedom"] == free["degrees_of_freedom"] == 10


def test_parts_that_mean_nothing_are_seldom_found_to_mean_something() -> None:
    p_values = []
    for seed in range(60):
        frame = make_frame(900, seed)
        rng = np.random.default_rng(seed)
        frame.labels[:] = rng.random(len(frame)) < 1 / (1 + np.exp(-frame.values[:, 0]))
        p_values.append(find(testing.test_rows(frame, SETTINGS, ()), testing.LIKELIHOOD_RATIO)["p_value"])
    assert np.mean(np.array(p_values) < 0.05) < 0.17
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.15)


def test_copies_and_parts_without_a_maximum_are_said() -> None:
    frame = make_frame(900)
    twice = frame.take(np.tile(np.arange(len(frame)), 2))
    assert (
        "groups have several rows" in find(testing.test_rows(twice, SETTINGS, ()), testing.LIKELIHOOD_RATIO)["status"]
    )
    first = frame.columns["category"] == "recitation"
    frame.labels[first] = frame.values[first, 0] > 0
    found = find(testing.test_rows(frame, SETTINGS, ()), testing.LIKELIHOOD_RATIO)
    assert found["status"] == "no maximum of the likelihood: recitation"
    assert "p_value" not in found
    flagged = with_column(make_frame(900), "flag", np.arange(900) % 9 == 0)
    flagged.labels[(flagged.columns["category"] == "recollection") & (flagged.column("flag") > 0)] = True
    found = find(testing.test_rows(flagged, SETTINGS, ()), testing.LIKELIHOOD_RATIO)
    assert found["status"] == "no maximum of the likelihood: recollection (for flag)"
    frame.columns["own_category"][::2] = "even"
    found = find(testing.test_rows(frame, SETTINGS, ()), testing.LIKELIHOOD_RATIO, "own")
    assert found["status"].startswith("not tested: the parts do not cover all rows")


def held_out_losses(frame: Frame, parts: list[np.ndarray], folds: int) -> np.ndarray:
    """Fold by fold and part by part, with scikit-learn."""
    losses = np.empty(folds)
    for fold in range(folds):
        total = 0.0
        for part in parts:
            scaler = StandardScaler().fit(frame.values[part])
            values = scaler.transform(frame.values)
            fitted, held = part & (frame.fold != fold), part & (frame.fold == fold)
            model = LogisticRegression(C=1.0, tol=1e-12, max_iter=1000, solver="newton-cholesky")
            model.fit(values[fitted], frame.labels[fitted])
            p = model.predict_proba(values[held])[:, 1]
            total -= np.sum(np.log(np.where(frame.labels[held], p, 1 - p)))
        losses[fold] = total / np.sum(frame.fold == fold)
    return losses


def test_refitted_folds_are_those_of_scikit_learn_and_are_paired() -> None:
    frame = make_frame(1200)
    train = frame.take(~frame.test)
    scopes = [everything()]
    scopes += [Scope("taxonomy", name, Rule(({"column": "category", "equals": name},))) for name in CATEGORIES]
    losses = testing.fold_losses(Training(frame, SETTINGS), scopes)
    whole = [np.ones(len(train), bool)]
    parts = [train.columns["category"] == name for name in CATEGORIES]
    np.testing.assert_allclose(losses["baseline"], held_out_losses(train, whole, SETTINGS.folds), rtol=1e-8)
    np.testing.assert_allclose(losses["taxonomy"], held_out_losses(train, parts, SETTINGS.folds), rtol=1e-8)
    found = find(testing.test_rows(frame, SETTINGS, ()), testing.WILCOXON)
    expected = stats.wilcoxon(losses["baseline"], losses["taxonomy"])
    assert (found["statistic"], found["p_value"], found["n"]) == (expected.statistic, expected.pvalue, 10)


def test_test_rows_have_no_part_in_any_test() -> None:
    frame = make_frame(900)
    before = testing.test_rows(frame, Settings(), ())
    frame.labels[frame.test] = ~frame.labels[frame.test]
    assert testing.test_rows(frame, Settings(), ()) == before
