"""The corrected protocol's regressions: right numbers, right prevalence, and words for what could not be fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from memtax.taxonomy import synthetic
from memtax.taxonomy.columns import find_columns
from memtax.taxonomy.corrected import Training
from memtax.taxonomy.frame import CATEGORIES, Rule, Scope
from memtax.taxonomy.prediction import everything, predict
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.taxonomies import scopes_of, tree_scopes
from memtax.taxonomy.training import train
from tests.taxonomy.samples import make_frame, with_column

NO_TREE = Settings(tree_leaves=0)


def test_coefficients_are_those_of_scikit_learn_in_the_features_own_units() -> None:
    frame = make_frame()
    for fit in train(frame, NO_TREE):
        chosen = ~frame.test & fit.scope.rule.holds(frame)
        scaler = StandardScaler().fit(frame.values[chosen])
        expected = LogisticRegression(tol=1e-12, solver="newton-cholesky", max_iter=1000)
        expected.fit(scaler.transform(frame.values[chosen]), frame.labels[chosen])
        np.testing.assert_allclose(fit.coefficients, expected.coef_[0] / scaler.scale_, rtol=1e-6)
        log_odds = expected.decision_function(scaler.transform(frame.values[chosen]))
        np.testing.assert_allclose(fit.log_odds(frame.values[chosen]), log_odds, atol=1e-6)
        assert (fit.status, fit.n_rows) == ("fitted", chosen.sum())


def test_standard_errors_are_those_of_statsmodels_where_no_group_has_two_rows() -> None:
    sm = pytest.importorskip("statsmodels.api")
    frame = make_frame(20_000)
    fit = Training(frame, NO_TREE).fit([everything()], likelihoods=True)[0]
    own = frame.take(~frame.test)
    result = sm.Logit(own.labels.astype(float), sm.add_constant(own.values)).fit(disp=0)
    # The penalty of 1 weighs next to nothing beside 14,000 rows.
    np.testing.assert_allclose(fit.standard_errors, result.bse[1:], rtol=2e-3)
    np.testing.assert_allclose(fit.intercept_error, result.bse[0], rtol=2e-3)
    assert fit.log_likelihood == pytest.approx(result.llf)
    assert fit.errors_from == "information matrix"


def test_copies_widen_the_intervals_instead_of_narrowing_them() -> None:
    frame = make_frame()
    twice = frame.take(np.tile(np.arange(len(frame)), 2))
    once, copied = train(frame, NO_TREE)[0], train(twice, NO_TREE)[0]
    np.testing.assert_allclose(copied.standard_errors, once.standard_errors, rtol=0.05)
    assert copied.errors_from.endswith("clustered by group")


def test_variance_inflation_is_that_of_statsmodels() -> None:
    pytest.importorskip("statsmodels.api")
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    values = make_frame().values
    values = np.column_stack([values, values[:, 0] + 0.3 * values[:, 1]]) + np.arange(12_000).reshape(3000, 4) % 7
    with_ones = np.column_stack([np.ones(len(values)), values])
    expected = [variance_inflation_factor(with_ones, j) for j in range(1, 5)]
    np.testing.assert_allclose(find_columns(values).inflation, expected, rtol=1e-8)


def test_columns_that_say_nothing_are_named_and_do_not_stop_the_fit() -> None:
    frame = make_frame()
    frame = with_column(frame, "constant", np.full(len(frame), 7.0))
    frame = with_column(frame, "absent", np.full(len(frame), np.nan))
    frame = with_column(frame, "twice the first", 2 * frame.column("first"))
    fit = train(frame, NO_TREE)[0]
    assert fit.status == "fitted"
    assert fit.notes == ("used", "used", "used", "constant", "no values", "collinear")
    assert np.isnan(fit.coefficients[3:]).all()
    assert np.isfinite(fit.log_odds(frame.values)).all()


def test_inflated_columns_go_one_after_the_other_where_a_limit_is_set() -> None:
    frame = make_frame()
    noisy = frame.column("first") + 0.1 * np.random.default_rng(0).normal(size=len(frame))
    frame = with_column(frame, "nearly the first", noisy)
    assert train(frame, NO_TREE)[0].notes == ("used",) * 4
    notes = train(frame, replace(NO_TREE, maximum_inflation=10.0))[0].notes
    assert sum(note.startswith("variance inflation") for note in notes) == 1


def test_a_category_with_too_few_examples_is_reported_and_answered_by_the_baseline() -> None:
    frame = make_frame()
    category = frame.columns["category"]
    frame = frame.take((category != "reconstruction") | ~frame.labels)
    fits = train(frame, NO_TREE)
    found = {fit.scope.name: fit for fit in fits}
    assert found["reconstruction"].status.startswith("too few examples: 0 memorized")
    predicted = predict(fits, frame)
    chosen = frame.columns["category"] == "reconstruction"
    assert predicted["taxonomy"][2].tolist() == chosen.tolist()
    np.testing.assert_array_equal(predicted["taxonomy"][0][chosen], predicted["baseline"][0][chosen])


def test_rows_without_a_feature_are_left_out_counted_and_not_predicted() -> None:
    frame = make_frame()
    values = frame.values.copy()
    lost = np.flatnonzero(~frame.test)[:7]
    values[lost, 0] = np.nan
    fits = train(replace(frame, values=values), NO_TREE)
    assert fits[0].n_incomplete == 7
    assert np.isnan(predict(fits, replace(frame, values=values))["baseline"][0][lost]).all()


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        ("representative", "no values in representative rows"),
        ("memorized", "no values in memorized rows"),
        ("other", "no values in other rows"),
    ],
)
def test_a_feature_that_one_kind_of_rows_lacks_is_left_out_by_name(rows: str, note: str) -> None:
    """One dataset without it must not take all of its rows from training."""
    frame = make_frame()
    frame = replace(frame, representative=~frame.labels | (np.arange(len(frame)) % 2 == 0))
    lacking = {"representative": frame.representative, "memorized": frame.labels, "other": ~frame.labels}[rows]
    scores = np.where(lacking, np.nan, np.random.default_rng(0).random(len(frame)))
    frame = with_column(frame, "nl_score", scores)
    training = Training(frame, Settings())
    fits = training.fit(scopes_of(training))
    assert {fit.status for fit in fits} == {"fitted"}
    assert {fit.notes for fit in fits} == {("used", "used", "used", note)}
    assert fits[0].n_rows == np.count_nonzero(~frame.test)
    # Whatever else looks for features takes it for one without values.
    assert np.isnan(training.frame.column("nl_score")).all()
    assert np.isfinite(predict(fits, frame)["taxonomy"][0]).all()


def test_the_feature_that_costs_most_rows_is_named_where_too_few_are_left() -> None:
    frame = make_frame()
    train_rows = ~frame.test
    frame.values[train_rows & frame.labels, 1] = np.nan
    first = np.flatnonzero(train_rows & frame.labels)[:3]
    frame.values[first, 1] = 0.0
    frame.values[first[:1], 0] = np.nan
    lost = np.count_nonzero(train_rows & frame.labels) - 2
    status = train(frame, NO_TREE)[0].status
    assert status.startswith("too few examples: 2 memorized and")
    assert status.endswith(f"; {lost} more lack a feature, {lost - 1} of them second")


def test_sets_of_memorized_sequences_do_not_shift_probabilities() -> None:
    frame = synthetic.draw_frame(synthetic.DEFAULT, 20_000, seed=3)
    fits = train(frame, NO_TREE)
    own = frame.take(frame.test & frame.representative)
    probability = predict(fits, own)["taxonomy"][0]
    assert probability.mean() == pytest.approx(own.labels.mean(), rel=0.06)
    uncorrected = own.labels.mean() * np.exp(-fits[0].shift)
    assert abs(probability.mean() - uncorrected) > 0.2


def test_a_sample_in_which_nothing_is_memorized_is_said_to_leave_the_prevalence_open() -> None:
    frame = make_frame()
    frame = replace(frame, representative=~frame.labels)
    for fit in train(frame, NO_TREE):
        assert fit.status.startswith("fitted, but no memorized training row is representative")
        assert fit.shift == 0


def test_intervals_cover_the_truth() -> None:
    covered = []
    for seed in range(12):
        for fit in train(synthetic.draw_frame(synthetic.DEFAULT, 4000, seed), NO_TREE)[1:]:
            true = np.array(synthetic.DEFAULT.coefficients[fit.scope.name])
            covered += (np.abs(fit.coefficients - true[:-1]) < 1.96 * fit.standard_errors).tolist()
            covered.append(abs(fit.intercept - true[-1]) < 1.96 * fit.intercept_error)
    assert len(covered) == 144
    assert 0.89 <= np.mean(covered) <= 0.99  # benchmarks/taxonomy_coverage.py narrows it


def test_training_sees_no_test_row() -> None:
    frame = make_frame()
    other = replace(frame, labels=np.where(frame.test, ~frame.labels, frame.labels))
    for one, two in zip(train(frame, Settings()), train(other, Settings()), strict=True):
        np.testing.assert_array_equal(one.coefficients, two.coefficients)


def test_the_tree_parts_all_rows_by_questions_it_can_name() -> None:
    frame = make_frame()
    scopes = tree_scopes(Training(frame, Settings(tree_leaves=4)))
    held = np.sum([scope.rule.holds(frame) for scope in scopes], axis=0)
    assert len(scopes) == 4
    assert (held == 1).all()
    assert all(Rule.from_json(scope.rule.to_json()) == scope.rule for scope in scopes)


def test_ones_own_taxonomy_is_on_the_bench() -> None:
    frame = make_frame()
    own = np.where(frame.column("first") > 0, "high", "low").astype(object)
    frame = replace(frame, columns={**frame.columns, "own_category": own})
    names = [(scope.predictor, scope.name) for scope in scopes_of(Training(frame, NO_TREE))]
    assert names == [
        ("baseline", "baseline"),
        *(("taxonomy", name) for name in CATEGORIES),
        ("own", "high"),
        ("own", "low"),
    ]


def test_no_rows_at_all_are_reported() -> None:
    frame = make_frame().take(np.zeros(3000, bool))
    fit = Training(frame, Settings()).fit([everything(), Scope("own", "x", Rule())])[0]
    assert fit.status.startswith("too few examples")
