"""The measures hold to scikit-learn, and a group without both classes is reported instead of left out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from memtax.taxonomy.evaluate import calibration_error, evaluate_predictions, measure

outcomes = st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=200)


@given(outcomes)
def test_measures_agree_with_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    labels = np.array([label for label, _ in rows])
    probabilities = np.array([probability for _, probability in rows])
    ours = measure(labels, probabilities)
    predicted = probabilities > 0.5
    assert ours["brier_score"] == pytest.approx(metrics.brier_score_loss(labels, probabilities, labels=[False, True]))
    if labels.any():
        assert ours["recall"] == pytest.approx(metrics.recall_score(labels, predicted))
        assert ours["f1"] == pytest.approx(metrics.f1_score(labels, predicted))
    else:
        assert ours["recall"] is None
    if predicted.any():
        assert ours["precision"] == pytest.approx(metrics.precision_score(labels, predicted))
    else:
        assert ours["precision"] is None
    if labels.any() and not labels.all():
        assert ours["roc_auc"] == pytest.approx(metrics.roc_auc_score(labels, probabilities))
    else:
        assert ours["roc_auc"] is None


def test_calibration_error_of_a_worked_case() -> None:
    # Two bins of two rows: {0.1, 0.3} with no positive is off by 0.2, {0.6, 0.8} with one of two by 0.2.
    labels = np.array([False, False, True, False])
    assert calibration_error(labels, np.array([0.1, 0.3, 0.6, 0.8]), bins=2) == pytest.approx(0.2)


@given(outcomes)
def test_calibration_error_lies_between_zero_and_one(rows: list[tuple[bool, float]]) -> None:
    labels = np.array([label for label, _ in rows])
    assert 0 <= calibration_error(labels, np.array([probability for _, probability in rows])) <= 1


def test_every_category_has_a_row_and_says_what_is_missing() -> None:
    table = pa.table(
        {
            "model": ["m"] * 4,
            "revision": ["main"] * 4,
            "predictor": ["taxonomy"] * 4,
            "category": ["recitation", "recitation", "recollection", "recollection"],
            "split": ["test"] * 4,
            "memorized": [True, False, False, False],
            "probability": [0.9, 0.2, 0.1, 0.3],
            "is_fallback": [False, False, True, True],
        }
    )
    found = {row["category"]: row for row in evaluate_predictions(table).to_pylist()}
    assert found["recitation"]["status"] == "evaluated"
    assert found["recitation"]["roc_auc"] == 1.0
    assert found["recollection"]["status"] == "no memorized rows"
    assert found["recollection"]["n_fallback_rows"] == 2
    assert found["recollection"]["roc_auc"] is None
    assert found["reconstruction"]["status"] == "no rows"
    assert found["all"]["n_rows"] == 4
