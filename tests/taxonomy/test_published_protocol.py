"""The protocol `paper` against the figures of the paper's own code, where its made tables are beside the project.

Of all figures, those over the unseeded 100-fold split alone may differ, by about 1e-3: the paper's code draws it anew in
every run. The rest must agree to rounding; coefficients come from the same solver on the same rows.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from memtax.taxonomy import published, published_measures
from memtax.taxonomy.correlations import METHODS, published_correlation
from memtax.taxonomy.evaluation import published_metric_rows
from memtax.taxonomy.published import PublishedFit, Sample
from memtax.taxonomy.published_search import published_search_rows
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.testing import test_rows as rows_of_tests
from memtax.taxonomy.training import published_rows
from tests.taxonomy.samples import make_frame, with_column

PARITY = "seed_taxonomy_parity"
SUBSETS = {"all": (-np.inf, np.inf), "natural_language": (0.525, np.inf), "code": (-np.inf, 0.4)}
FOLD_NAMES = {"roc_auc": "roc_auc", "pr_auc": "pr_auc", "precision": "precision_", "recall": "recall_"}


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / PARITY / "expected.json").read_text())


@pytest.fixture(scope="module")
def columns(shared_data: Path) -> dict[str, np.ndarray]:
    files = [str(shared_data / PARITY / name) for name in ("pile.parquet", "memories.parquet")]
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select * exclude (n), is_incrementing or is_repeating as is_templating from ("
            f"select *, 1 as representative, row_number() over () as n from '{files[0]}' union all "
            f"select *, 0 as representative, row_number() over () as n from '{files[1]}') order by representative desc, n"
        ).fetchnumpy()
    return {name: np.asarray(column, dtype=np.float64) for name, column in rows.items()}


@pytest.fixture(scope="module")
def sample(columns: dict[str, np.ndarray], expected: dict[str, Any]) -> Sample:
    features = expected["baseline"]["features"]
    values, _, _ = published.scale_features(
        np.column_stack([columns[name] for name in features]), np.array([name != "is_templating" for name in features])
    )
    infrequent = np.where(columns["is_templating"] > 0, "reconstruction", "recollection")
    categories = np.where(columns["sequence_duplicates"] >= 6, "recitation", infrequent)
    return Sample(values, columns["memorization_score"] == 1, categories, columns["representative"] > 0)


@pytest.fixture(scope="module")
def taxonomy(sample: Sample) -> published.PublishedTaxonomy:
    return published.fit_taxonomy(sample)


def agree(fit: PublishedFit, figures: dict[str, Any]) -> None:
    np.testing.assert_allclose(fit.coefficients, [*figures["coef"], figures["intercept"]], atol=1e-6)
    for split, areas in fit.areas.items():
        np.testing.assert_allclose(areas, [figures[f"{split}_roc_auc"], figures[f"{split}_pr_auc"]], atol=1e-6)
    # The paper puts the intercept first.
    np.testing.assert_allclose(np.roll(fit.wald, 1), figures["wald_stats"], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(np.roll(fit.wald_p, 1), figures["wald_pvalue"], atol=1e-6)
    assert fit.calibration_error == pytest.approx(figures["expected_calibration_error"], abs=1e-6)
    if figures["lrt_pvalue"] is not None:
        assert fit.likelihood_ratio_p == pytest.approx(figures["lrt_pvalue"], rel=1e-6)
        baseline = [figures["baseline_test_roc_auc"], figures["baseline_test_pr_auc"]]
        np.testing.assert_allclose(fit.baseline_areas, baseline, atol=1e-9)


def test_baseline_and_categories(taxonomy: published.PublishedTaxonomy, expected: dict[str, Any]) -> None:
    agree(taxonomy.baseline, expected["baseline"])
    assert set(taxonomy.parts) == set(expected["taxonomic"])
    for name, fit in taxonomy.parts.items():
        agree(fit, expected["taxonomic"][name])


def test_metrics_over_folds(sample: Sample, taxonomy: published.PublishedTaxonomy, expected: dict[str, Any]) -> None:
    test = taxonomy.test
    p = {"baseline": published_measures.probabilities(taxonomy.baseline.coefficients, sample.values[test])}
    p["model"] = p["baseline"].copy()
    for name, fit in taxonomy.parts.items():
        chosen = sample.categories[test] == name
        p["model"][chosen] = published_measures.probabilities(fit.coefficients, sample.values[test][chosen])
    for who, probabilities in p.items():
        for part in ("aggregate", *taxonomy.parts):
            chosen = np.full(len(test), True) if part == "aggregate" else sample.categories[test] == part
            found = published_measures.fold_metrics(sample.labels[test][chosen], probabilities[chosen])
            for measure, name in (FOLD_NAMES | {"calibration_error": "ece"}).items():
                mean, deviation = expected["prediction_metrics"][f"{who}_{part}_{name}"]
                assert found[measure] == pytest.approx((mean, deviation), abs=1.5e-3), (who, part, measure)


def test_searched_partitions(sample: Sample, columns: dict[str, np.ndarray], expected: dict[str, Any]) -> None:
    for name, figures in expected["search"].items():
        parts = np.full(len(sample.labels), "taxonomy_3", dtype="<U10")
        for number in (2, 1):
            feature = figures["taxonomy_1"][f"taxonomy_{number}_feature_name"]
            quantile = float(name.split("/")[number - 1].rsplit("-", 1)[1])
            threshold = np.quantile(columns[feature][~sample.representative], quantile)
            assert threshold == figures["taxonomy_1"][f"taxonomy_{number}_threshold_quantile"]
            parts[columns[feature] >= threshold] = f"taxonomy_{number}"
        for part, fit in published.fit_taxonomy(sample, parts).parts.items():
            agree(fit, figures[part])


@pytest.mark.parametrize("method", METHODS)
def test_correlations(sample: Sample, columns: dict[str, np.ndarray], expected: dict[str, Any], method: str) -> None:
    for category, subsets in expected["correlations"].items():
        if category == "metadata":
            continue
        inside = np.ones(len(sample.labels), bool) if category == "baseline" else sample.categories == category
        for subset, (low, high) in SUBSETS.items():
            rows = inside & (columns["nl_scores"] >= low) & (columns["nl_scores"] <= high)
            for j, (feature, value, p_value) in enumerate(subsets[subset][method]):
                found = published_correlation(method, sample.values[rows, j], sample.labels[rows])
                if value is None or np.isnan(value) or np.ptp(sample.values[rows, j]) == 0:
                    assert np.isnan(found[0]) or found[0] == 0, (category, subset, feature)
                    continue
                assert found == pytest.approx((value, p_value), abs=1e-8), (category, subset, feature)


def test_a_category_of_one_class_is_reported_and_the_others_are_fitted() -> None:
    rng = np.random.default_rng(0)
    categories = np.repeat(["recitation", "recollection"], [300, 300])
    labels = (rng.random(600) < 0.4) & (categories == "recitation")
    found = published.fit_taxonomy(Sample(rng.normal(size=(600, 2)), labels, categories, np.ones(600, bool)))
    assert set(found.parts) == {"recitation"}
    assert "0 memorized" in found.skipped["recollection"]
    assert len(found.parts["recitation"].wald) == 3


def test_a_row_alone_in_its_label_and_category_trains() -> None:
    rng = np.random.default_rng(1)
    categories = np.where(np.arange(200) == 7, "reconstruction", "recollection")
    sample = Sample(rng.normal(size=(200, 2)), np.arange(200) % 3 == 0, categories, np.ones(200, bool))
    train, test = published.split(sample)
    assert 7 in train
    assert sorted([*train, *test]) == list(range(200))
    assert "1 other training rows" in published.fit_taxonomy(sample).skipped["reconstruction"]


@pytest.mark.parametrize("rows", [slice(0, 0), slice(0, 1), slice(0, 5), slice(0, 7), slice(0, 200)])
def test_a_checkpoint_that_the_procedure_cannot_be_followed_for_is_reported(rows: slice) -> None:
    """As of an early checkpoint, which has one window by heart, and of samples of a few rows."""
    frame = make_frame(200)
    for name in ("sequence_duplicates", "max_frequency"):
        frame = with_column(frame, name, np.arange(200.0))
    memorized = np.arange(200) == 3
    frame = replace(frame, labels=memorized, representative=~memorized).take(np.arange(200)[rows])
    found = published_rows(frame)
    assert [row["feature"] for row in found] == [*frame.features, "(intercept)"]
    assert {row["status"].partition(":")[0] for row in found} == {"too few examples"}
    settings = Settings(protocol="paper")
    assert published_metric_rows(frame) == rows_of_tests(frame, settings, ()) == []
    assert published_search_rows("m", "main", frame, settings) == []


def test_wald_tests_of_a_constant_column_are_left_out_as_published() -> None:
    values = np.column_stack([np.arange(20.0), np.ones(20)])
    statistics, _ = published_measures.wald_statistics(np.zeros(3), values, must_vary=True)
    assert len(statistics) == 0
