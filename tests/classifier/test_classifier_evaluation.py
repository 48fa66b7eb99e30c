"""The measures of a classifier, against counts by hand and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from memtax.classifier.evaluation import AtThreshold, at_threshold, evaluate, recommend

cases = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: 0 < sum(label for _, label in rows) < len(rows)
)


@given(cases, st.floats(0, 1))
def test_measures_at_a_threshold_are_scikit_learns(rows: list[tuple[float, bool]], threshold: float) -> None:
    scores, labels = np.array([score for score, _ in rows]), np.array([label for _, label in rows])
    found = at_threshold(scores, labels, threshold)
    expected = precision_recall_fscore_support(labels, scores >= threshold, labels=[True, False], zero_division=np.nan)
    precision, recall, f1 = (part.tolist() for part in expected[:3])
    assert [found.precision, found.code_precision] == pytest.approx(precision, nan_ok=True)
    assert [found.recall, found.code_recall] == pytest.approx(recall)
    assert [found.f1, found.code_f1] == pytest.approx(np.nan_to_num(f1).tolist())


def test_calibration_of_scores_that_are_right_and_that_are_not() -> None:
    generator = np.random.default_rng(1)
    right = generator.uniform(size=20_000)
    labels = generator.uniform(size=20_000) < right
    assert evaluate(right, labels).calibration_error < 0.02
    assert evaluate(right**3, labels).calibration_error > 0.2
    assert sum(one.n for one in evaluate(right, labels).reliability) == 20_000


def test_thresholds_reach_their_precision_and_call_all_they_can() -> None:
    scores = np.array([0.05, 0.15, 0.25, 0.45, 0.55, 0.65, 0.75, 0.95])
    labels = np.array([False, False, False, True, False, True, True, True])
    found = evaluate(scores, labels, target_precision=1.0)
    assert (found.code_below, found.language_from, found.n_uncertain) == (0.45, 0.56, 2)


def test_thresholds_that_would_cross_meet_at_the_best_f1() -> None:
    found = evaluate(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    assert found.code_below == found.language_from == 0.51
    assert found.n_uncertain == 0


def test_a_precision_that_nothing_reaches_leaves_all_uncertain() -> None:
    rows = [AtThreshold(threshold, 0.5, 1, 0.6, 0.5, 1, 0.6) for threshold in (0.01, 0.5, 0.99)]
    assert recommend(rows, 0.9) == (0.01, 0.99)


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="both"):
        evaluate(np.array([0.1, 0.2]), np.array([True, True]))
