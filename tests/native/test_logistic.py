"""The native sums against numpy, on random rows and for every instruction set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtax_native._logistic import Rows, instruction_sets


def reference(values: np.ndarray, labels: np.ndarray, b: np.ndarray, weights: np.ndarray) -> tuple:
    """Loss, gradient, Hessian and errors, the obvious way."""
    with_ones = np.column_stack([values, np.ones(len(values))])
    z = with_ones @ b
    p = 1 / (1 + np.exp(-z))
    w = np.where(labels == 1, weights[1], weights[0])
    loss = np.sum(w * (np.logaddexp(0, z) - labels * z))
    gradient = with_ones.T @ (w * (p - labels))
    hessian = (with_ones * (w * p * (1 - p))[:, None]).T @ with_ones
    return loss, gradient, hessian, np.count_nonzero(np.where(labels == 1, -z, z) > 0)


@pytest.mark.parametrize("instruction_set", instruction_sets())
@settings(max_examples=25)
@given(
    n=st.integers(1, 1300),
    d=st.integers(0, 20),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.1, 1.0, 40.0]),
)
def test_sums_are_those_of_numpy(instruction_set: str, n: int, d: int, seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, d))
    labels = rng.integers(0, 2, n).astype(np.uint8)
    rows = Rows(values, labels, threads=2)
    first, second = rng.random(n) < 0.5, rng.random(n) < 0.3
    assert [rows.add_indicator(one.astype(np.uint8)) for one in (first, second)] == [0, 1]
    choices = np.array([[0, 0], [1, 0], [-1, 2], [-1, -2]], np.int32)
    masks = [np.ones(n, bool), first, ~first & second, ~first & ~second]
    b = rng.normal(size=(4, d + 1)) * scale
    weights = rng.random((4, 2)) + 0.1
    loss, gradient, hessian, errors = rows.derive(choices, b, weights, threads=2, instruction_set=instruction_set)
    counts = rows.count(choices, threads=2)
    for k, mask in enumerate(masks):
        expected = reference(values[mask], labels[mask], b[k], weights[k])
        np.testing.assert_allclose(loss[k], expected[0], rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(gradient[k], expected[1], rtol=1e-10, atol=1e-9)
        np.testing.assert_allclose(hessian[k], expected[2], rtol=1e-10, atol=1e-9)
        assert errors[k] == expected[3]
        assert counts[k].tolist() == [mask.sum(), labels[mask].sum()]


LAYOUTS = {
    "row after row": np.ascontiguousarray,
    "feature after feature": np.asfortranarray,
    "every second row, features backwards": lambda values: np.repeat(values[:, ::-1], 2, axis=0)[::2, ::-1],
    "a part of wider rows": lambda values: np.column_stack([values, values])[:, : values.shape[1]],
    "one row for all": lambda values: np.broadcast_to(values[:1], values.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=25)
@given(n=st.integers(1, 1300), d=st.integers(0, 20), seed=st.integers(0, 2**32 - 1))
def test_values_are_shifted_and_scaled_in_any_order_of_memory(layout: str, n: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = LAYOUTS[layout](rng.normal(size=(n, d)))
    labels = rng.integers(0, 2, n).astype(np.uint8)
    shift, scale = rng.normal(size=d), rng.random(d) + 0.1
    everything, b, weights = np.zeros((1, 1), np.int32), rng.normal(size=(1, d + 1)), np.ones((1, 2))
    for own, expected in (
        (Rows(values, labels, threads=2), values),
        (Rows(values, labels, shift=shift, scale=scale, threads=2), (values - shift) / scale),
    ):
        plain = Rows(np.ascontiguousarray(expected), labels, threads=1)
        for sums, right in zip(own.derive(everything, b, weights), plain.derive(everything, b, weights), strict=True):
            np.testing.assert_array_equal(sums, right)


def test_extreme_log_odds_neither_overflow_nor_vanish() -> None:
    rows = Rows(np.array([[1.0], [1.0], [-1.0]]), np.array([0, 1, 1], np.uint8))
    loss, gradient, hessian, errors = rows.derive(
        np.zeros((1, 1), np.int32), np.array([[5000.0, 0.0]]), np.ones((1, 2))
    )
    assert loss[0] == pytest.approx(10_000)
    np.testing.assert_allclose(gradient[0], [2, 0], atol=1e-12)
    assert np.isfinite(hessian).all()
    assert errors[0] == 2


def test_arguments_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="labels"):
        Rows(np.zeros((3, 1)), np.zeros(2, np.uint8))
    with pytest.raises(ValueError, match="0 or 1"):
        Rows(np.zeros((2, 1)), np.array([0, 2], np.uint8))
    with pytest.raises(ValueError, match="63 features"):
        Rows(np.zeros((2, 64)), np.zeros(2, np.uint8))
    with pytest.raises(ValueError, match="one number per feature"):
        Rows(np.zeros((2, 3)), np.zeros(2, np.uint8), shift=np.zeros(2))
    records = np.zeros(4, dtype=[("flag", "?"), ("numbers", "f8", 3)])
    with pytest.raises(ValueError, match="field of records"):
        Rows(records["numbers"], np.zeros(4, np.uint8))
    rows = Rows(np.zeros((3, 1)), np.zeros(3, np.uint8))
    with pytest.raises(ValueError, match="indicator 1 of 0"):
        rows.count(np.ones((1, 1), np.int32))
    with pytest.raises(ValueError, match="one value per row"):
        rows.add_indicator(np.zeros(2, np.uint8))
    with pytest.raises(ValueError, match="coefficients"):
        rows.derive(np.zeros((1, 1), np.int32), np.zeros((1, 3)), np.ones((1, 2)))
    with pytest.raises(ValueError, match="not available"):
        rows.derive(np.zeros((1, 1), np.int32), np.zeros((1, 2)), np.ones((1, 2)), instruction_set="none")
