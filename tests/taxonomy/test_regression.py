"""Newton's method on the native kernel against scikit-learn and statsmodels, tightly converged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from memtax.taxonomy import regression
from memtax_native._logistic import Rows

EVERY = np.zeros((1, 1), np.int32)


def problem(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, d)) * np.exp(rng.normal(size=d))
    labels = rng.random(n) < 1 / (1 + np.exp(1 - values @ rng.normal(size=d)))
    labels[:2] = True, False
    return values, labels


@settings(max_examples=25)
@given(n=st.integers(20, 600), d=st.integers(1, 14), seed=st.integers(0, 2**32 - 1), balanced=st.booleans())
def test_coefficients_are_the_optimum(n: int, d: int, seed: int, balanced: bool) -> None:
    values, labels = problem(n, d, seed)
    fits = regression.fit(Rows(values, labels.astype(np.uint8)), EVERY, balanced=balanced, threads=1)
    weight = "balanced" if balanced else None
    tight = LogisticRegression(class_weight=weight, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(
        values, labels
    )
    np.testing.assert_allclose(fits.coefficients[0, :-1], tight.coef_[0], atol=1e-6)
    np.testing.assert_allclose(fits.coefficients[0, -1], tight.intercept_[0], atol=1e-6)


def test_without_penalty_it_agrees_with_statsmodels() -> None:
    sm = pytest.importorskip("statsmodels.api")
    values, labels = problem(800, 5, 3)
    fits = regression.fit(Rows(values, labels.astype(np.uint8)), EVERY, penalty=0.0)
    result = sm.Logit(labels.astype(float), sm.add_constant(values, prepend=False)).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose(fits.coefficients[0], result.params, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(fits.log_likelihood[0], result.llf)
    np.testing.assert_allclose(np.sqrt(np.diag(np.linalg.inv(fits.information[0]))), result.bse, rtol=1e-6)


def test_choices_that_cannot_be_fitted_say_why() -> None:
    values, labels = problem(300, 2, 1)
    rows = Rows(values, labels.astype(np.uint8))
    perfect = (values[:, 0] > 0) == labels
    for holds in (np.zeros(300, bool), labels, perfect):
        rows.add_indicator(holds.astype(np.uint8))
    choices = np.array([[0], [1], [2], [3]], np.int32)
    fits = regression.fit(rows, choices)
    assert fits.status[:3].tolist() == ["fitted", "empty", "one class"]
    assert np.isnan(fits.coefficients[1:3]).all()
    without = regression.fit(rows, choices, penalty=0.0)
    assert without.status.tolist() == ["fitted", "empty", "one class", "separated"]
    assert np.isnan(without.coefficients[3]).all()  # no maximum of the likelihood, so no estimate


def test_rows_that_can_be_moved_for_ever_leave_no_maximum_of_the_likelihood() -> None:
    values, labels = problem(2000, 3, 4)
    flag = np.random.default_rng(0).random(2000) < 0.1
    values = np.column_stack([values, flag])
    for told in (labels | flag, labels & ~flag):
        rows = Rows(values, told.astype(np.uint8))
        without = regression.fit(rows, EVERY, penalty=0.0)
        assert without.status.tolist() == ["partly separated"]
        assert np.isnan(without.coefficients).all()
        # The way there is that of the flag alone.
        assert np.flatnonzero(np.abs(without.escapes[0]) > 1e-6).tolist() == [3]
        assert regression.fit(rows, EVERY).status.tolist() == ["fitted"]
    # One row on the other side ends it.
    told[np.flatnonzero(flag)[0]] = True
    fits = regression.fit(Rows(values, told.astype(np.uint8)), EVERY, penalty=0.0)
    assert fits.status.tolist() == ["fitted"]
    assert np.isnan(fits.escapes).all()


def test_a_bad_start_does_not_lead_astray() -> None:
    values, labels = problem(500, 4, 5)
    rows = Rows(values, labels.astype(np.uint8))
    near = regression.fit(rows, EVERY)
    far = regression.fit(rows, EVERY, start=np.full(5, 30.0))
    np.testing.assert_allclose(far.coefficients, near.coefficients, atol=1e-8)


def test_nearly_collinear_columns_do_not_keep_it_from_ending() -> None:
    values, labels = problem(2000, 3, 2)
    values = np.column_stack([values, values[:, 0] + 1e-5 * values[:, 1] + 1e-6 * np.sin(np.arange(2000))])
    fits = regression.fit(Rows(values, labels.astype(np.uint8)), EVERY, penalty=0.0)
    assert fits.status[0] == "fitted"
