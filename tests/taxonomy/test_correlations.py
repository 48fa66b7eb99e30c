"""Correlations against scipy, and xi's mean over the orders of ties against many of these."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from memtax.taxonomy.correlating import correlation_rows
from memtax.taxonomy.correlations import METHODS, correlation, expected_xi, published_correlation, xi
from memtax.taxonomy.settings import Settings
from tests.taxonomy.samples import make_frame, with_column


def test_xi_in_file_order_depends_on_the_order_and_its_mean_does_not() -> None:
    rng = np.random.default_rng(0)
    feature = rng.integers(0, 4, 300).astype(float)
    labels = rng.random(300) < 0.2 + 0.2 * feature
    by_label = np.argsort(labels, kind="stable")
    assert xi(feature[by_label], labels[by_label])[0] > xi(feature, labels)[0] + 0.1
    orders = [rng.permutation(300) for _ in range(1000)]
    # A row's place in its order has no ties.
    by_feature = [order[np.argsort(feature[order], kind="stable")] for order in orders]
    mean = np.mean([stats.chatterjeexi(np.arange(300), labels[order].astype(float)).statistic for order in by_feature])
    assert expected_xi(feature, labels)[0] == pytest.approx(mean, abs=4e-3)
    assert expected_xi(feature[by_label], labels[by_label])[0] == pytest.approx(expected_xi(feature, labels)[0])


@pytest.mark.parametrize(("n", "offset"), [(500, 0.0), (2000, -5.0)])
@pytest.mark.parametrize("slope", [0.0, 2.0])
def test_without_ties_of_the_feature_xi_is_that_of_scipy(n: int, offset: float, slope: float) -> None:
    rng = np.random.default_rng(1)
    feature = rng.normal(size=n)
    labels = rng.random(n) < 1 / (1 + np.exp(-slope * feature - offset))
    assert labels.any()
    expected = stats.chatterjeexi(feature, labels.astype(float))
    value, p_value = expected_xi(feature, labels)
    assert value == pytest.approx(expected.statistic)
    # scipy's is asymptotic: too far off where few rows are memorized.
    assert offset < 0 or p_value == pytest.approx(expected.pvalue, abs=0.01)


def test_the_p_value_of_xi_is_that_of_permutations_where_ties_are_many() -> None:
    rng = np.random.default_rng(1)
    feature = (rng.random(2000) < 0.1).astype(float)
    labels = rng.random(2000) < np.where(feature > 0, 0.2, 0.1)
    value, p_value = expected_xi(feature, labels)
    drawn = np.array([expected_xi(feature, rng.permutation(labels))[0] for _ in range(4000)])
    assert 0 < np.mean(drawn >= value) < 0.05
    assert p_value == pytest.approx(np.mean(drawn >= value), abs=4e-3)


@pytest.mark.parametrize("ties", [True, False])
def test_xi_of_a_feature_that_says_nothing_is_found_as_often_as_it_should_be(ties: bool) -> None:
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(1000):
        feature = rng.poisson(1.0, 300).astype(float) if ties else rng.normal(size=300)
        p_values.append(expected_xi(feature, rng.random(300) < 0.1)[1])
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.02)
    assert np.mean(np.array(p_values) < 0.2) == pytest.approx(0.2, abs=0.04)


def test_the_papers_xi_finds_rare_labels_in_a_feature_that_says_nothing() -> None:
    rng = np.random.default_rng(1)
    feature, labels = rng.normal(size=2000), rng.random(2000) < 0.01
    assert published_correlation("xi", feature, labels)[0] > 0.7
    value, p_value = correlation("xi", feature, labels)
    assert abs(value) < 0.05
    assert p_value > 0.01


@pytest.mark.parametrize(("method", "function"), [("pearson", stats.pearsonr), ("spearman", stats.spearmanr)])
def test_pearson_and_spearman_are_those_of_scipy(method: str, function) -> None:
    frame = make_frame(500)
    expected = function(frame.column("first"), frame.labels.astype(float))
    found = correlation(method, frame.column("first"), frame.labels)
    assert found == pytest.approx((expected.statistic, expected.pvalue))
    assert found == published_correlation(method, frame.column("first"), frame.labels)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_defined_is_nan(method: str) -> None:
    assert np.isnan(correlation(method, np.ones(9), np.arange(9) % 2 == 0)).all()
    assert np.isnan(correlation(method, np.arange(9.0), np.ones(9, bool))).all()
    assert published_correlation("xi", np.ones(9), np.arange(9) % 2 == 0)[0] == 0


def test_there_is_a_row_for_each_category_subset_feature_and_method() -> None:
    frame = with_column(make_frame(900), "constant", np.ones(900))
    rows = correlation_rows("m", "main", frame, Settings())
    assert len(rows) == 4 * 3 * 4 * 3
    everything = [row for row in rows if row["category"] == "baseline" and row["feature"] == "first"]
    sizes = {row["subset"]: row["n_rows"] for row in everything}
    assert sizes["natural_language"] == np.count_nonzero(frame.columns["code_type"] == "nl")
    assert sizes["code"] == np.count_nonzero(frame.columns["code_type"] == "code")
    assert {row["status"] for row in rows if row["feature"] == "constant"} == {"constant"}
    assert all(np.isnan(row["correlation"]) for row in rows if row["status"] != "computed")
