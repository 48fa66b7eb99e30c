"""The partition search against fitting every candidate by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from memtax.taxonomy import regression
from memtax.taxonomy.frame import Frame
from memtax.taxonomy.search import PartitionSearch, Threshold, find_thresholds, make_plan, searched_features
from memtax.taxonomy.searching import NESTED_FOLDS, best_scopes, search_rows
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.training import train
from memtax_native._logistic import Rows
from tests.taxonomy.samples import make_frame, with_column

NAMES = ("sequence_duplicates", "max_frequency", "is_templating")


@pytest.fixture
def columns() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.integers(0, 5, 900).astype(float) for name in NAMES}


def searched(columns: dict[str, np.ndarray], labels: np.ndarray, values: np.ndarray, store: Path | None = None):
    thresholds = find_thresholds(list(columns), [column[labels] for column in columns.values()])
    plan = make_plan(thresholds)
    rows = Rows(values, labels.astype(np.uint8))
    search = PartitionSearch(rows, plan, [columns[threshold.feature] for threshold in plan.thresholds], store=store)
    return plan, search, thresholds


def test_every_part_of_every_candidate_is_the_optimum(columns: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    values = np.ascontiguousarray(np.column_stack([*columns.values(), rng.normal(size=900)]))
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    labels = rng.random(900) < 1 / (1 + np.exp(-values[:, 0] - values[:, 3]))
    plan, search, _ = searched(columns, labels, values)
    assert len(plan.candidates) == 3 * 2 * 9
    result = search.fit(balanced=True)
    checked = 0
    for candidate in plan.candidates:
        first, second = plan.thresholds[candidate.first], plan.thresholds[candidate.second]
        one, two = columns[first.feature] >= first.value, columns[second.feature] >= second.value
        for part, mask in zip(candidate.parts, (one, ~one & two, ~one & ~two), strict=True):
            assert result.n_rows[part] == mask.sum()
            if result.status[part] != "fitted":
                assert not mask.any() or len(set(labels[mask])) == 1
                continue
            tight = LogisticRegression(class_weight="balanced", solver="newton-cholesky", tol=1e-12, max_iter=1000)
            # The columns are standardised over the rows of the part; those that are constant there are left out.
            varies = np.ptp(values[mask], axis=0) > 0
            mean, scale = values[mask][:, varies].mean(axis=0), values[mask][:, varies].std(axis=0)
            tight.fit((values[mask][:, varies] - mean) / scale, labels[mask])
            own = tight.coef_[0] / scale
            np.testing.assert_allclose(result.coefficients[part, :-1][varies], own, atol=1e-6)
            np.testing.assert_array_equal(result.coefficients[part, :-1][~varies], 0)
            np.testing.assert_allclose(result.coefficients[part, -1], tight.intercept_[0] - mean @ own, atol=1e-6)
            checked += 1
    assert checked > 50


def test_ten_features_make_810_candidates_of_1245_regressions() -> None:
    thresholds = [Threshold(f"feature {j}", quantile, 0.0) for j in range(10) for quantile in (0.25, 0.5, 0.75)]
    plan = make_plan(thresholds)
    assert (len(plan.candidates), len(plan.parts)) == (810, 30 + 810 + 405)


def test_the_papers_ten_features_are_found_under_either_protocols_names() -> None:
    assert searched_features(["paper_generation_perplexity", "prompt_perplexity", "paper_huffman_coding_length"]) == [
        "paper_generation_perplexity",
        "paper_huffman_coding_length",
    ]


def test_a_killed_search_goes_on_where_it_stopped(
    columns: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memtax.taxonomy.search.FITTED_TOGETHER", 20)
    labels = np.random.default_rng(2).random(900) < 0.4
    values = np.ascontiguousarray(np.column_stack(list(columns.values())))
    calls: list[int] = []
    stopped: list[bool] = []
    fit = regression.fit

    def counting(rows: Rows, choices: np.ndarray, **options: object) -> regression.Fits:
        calls.append(len(choices))
        if len(calls) == 4 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        return fit(rows, choices, **options)

    monkeypatch.setattr("memtax.taxonomy.search.regression.fit", counting)
    with pytest.raises(KeyboardInterrupt):
        searched(columns, labels, values, tmp_path)[1].fit()
    assert len(list(tmp_path.glob("parts-*.npz"))) == 2
    calls.clear()
    again = searched(columns, labels, values, tmp_path)[1].fit()
    assert calls == [1, 20, 20, 10]  # the whole, and three of five batches
    monkeypatch.setattr("memtax.taxonomy.search.regression.fit", fit)
    np.testing.assert_array_equal(again.coefficients, searched(columns, labels, values)[1].fit().coefficients)


def test_checkpoints_that_differ_in_their_labels_alone_do_not_share_parts(tmp_path: Path) -> None:
    place = np.arange(1200.0)
    frame = with_column(make_frame(1200), "max_frequency", place % 4)
    frame = with_column(frame, "sequence_duplicates", place // 4 % 3)
    # Each run of 12 rows has all pairs of the two, so that either half has the same thresholds.
    early = replace(frame, labels=place // 12 % 2 == 0, test=np.zeros(1200, bool))
    late = replace(early, labels=~early.labels)
    kept = [search_rows("m", "main", one, Settings(), tmp_path) for one in (early, late)]
    thresholds = [[row["first_threshold"] for row in rows] for rows in kept]
    assert thresholds[0] == thresholds[1]
    for rows, one in zip(kept, (early, late), strict=True):
        assert [row["parts"] for row in rows] == [row["parts"] for row in search_rows("m", "main", one, Settings())]


def test_the_best_partition_is_ranked_first_and_empty_ones_are_reported() -> None:
    frame = make_frame(4000)
    rng = np.random.default_rng(4)
    side = rng.integers(0, 2, len(frame)).astype(float)
    frame = with_column(frame, "is_templating", side)
    frame = with_column(frame, "max_frequency", rng.normal(size=len(frame)))
    frame = with_column(frame, "sequence_duplicates", np.ones(len(frame)))
    # What `first` does depends on the side: only a partition can say so.
    log_odds = 2.5 * frame.column("first") * np.where(side > 0, 1, -1)
    frame.labels[:] = rng.random(len(frame)) < 1 / (1 + np.exp(-log_odds))
    rows = search_rows("m", "main", frame, Settings())
    best = next(row for row in rows if row["place"] == 1)
    assert "is_templating" in (best["first_feature"], best["second_feature"])
    assert best["score"] < best["baseline_score"] - 0.1
    assert {row["status"] for row in rows} == {"fitted", "a part is empty"}
    assert all(row["place"] is None for row in rows if row["status"] != "fitted")
    held = np.sum([scope.rule.holds(frame) for scope in best_scopes([best])], axis=0)
    assert (held == 1).all()
    assert best_scopes([]) == ()


def with_a_corner_of(n: int, folds: tuple[int, ...]) -> Frame:
    """Rows of which the memorized ones have much of one or the other feature, but for `n` of the folds: little of both."""
    frame = make_frame(3000, 1)
    rng = np.random.default_rng(1)
    one, other = rng.random((2, len(frame)))
    other[frame.labels] = 1 - one[frame.labels]
    chosen = np.flatnonzero(frame.labels & ~frame.test & np.isin(frame.groups % NESTED_FOLDS, folds))[:n]
    one[chosen], other[chosen] = 0.1, 0.1
    return with_column(with_column(frame, "sequence_duplicates", one), "max_frequency", other)


def test_what_nobody_would_fit_in_the_end_is_not_ranked() -> None:
    frame = with_a_corner_of(3, (0, 1, 2))
    settings = Settings(tree_leaves=0)
    rows = search_rows("m", "main", frame, settings)
    too_small = [row for row in rows if row["status"].startswith("a part has 3 memorized and ")]
    assert too_small
    assert all(row["place"] is row["parts"] is None for row in too_small)
    assert all(row["status"].endswith(" other training rows, 5 of each needed") for row in too_small)
    ranked = [row for row in rows if row["place"]]
    assert ranked
    assert all(part["n_memorized"] >= 5 for row in ranked for part in json.loads(row["parts"]))
    assert all(fit.status == "fitted" for fit in train(frame, settings, best_scopes(rows)))
    # With fewer needed they are ranked.
    (place,) = (
        row["place"]
        for row in search_rows("m", "main", frame, replace(settings, minimum_class_rows=1))
        if row["position"] == too_small[0]["position"]
    )
    assert place


def test_a_part_has_enough_rows_without_any_fold_as_well() -> None:
    frame = with_a_corner_of(7, (0,))
    rows = search_rows("m", "main", frame, Settings())
    assert not any(row["status"].startswith("a part has") for row in rows)
    unranked = [row for row in rows if "while a fold is held out" in row["status"]]
    assert unranked
    assert all(row["place"] is None and np.isnan(row["score"]) for row in unranked)


def test_the_parts_are_stored_as_they_are_fitted_in_the_end() -> None:
    frame = with_column(with_a_corner_of(40, (0, 1, 2)), "is_templating", np.zeros(3000))
    rows = search_rows("m", "main", frame, Settings())
    best = next(row for row in rows if row["place"] == 1)
    fits = [fit for fit in train(frame, Settings(), best_scopes(rows)) if fit.scope.predictor == "searched"]
    for part, fit in zip(json.loads(best["parts"]), fits, strict=True):
        # A feature with one value is not fitted on.
        assert part["features"] == list(frame.features[:-1])
        own = np.array(part["coefficients"][:-1]) / part["scales"]
        np.testing.assert_allclose(own, fit.coefficients[:-1], rtol=1e-6, atol=1e-9)
        assert part["coefficients"][-1] - own @ part["means"] == pytest.approx(fit.intercept, rel=1e-6)
        assert (part["n_rows"], part["n_memorized"]) == (fit.n_rows, fit.n_memorized)


def test_one_huge_value_does_not_decide_the_ranking() -> None:
    frame = with_a_corner_of(40, (0, 1, 2))
    frame.column("third")[np.flatnonzero(~frame.test)[0]] = 1e6
    rows = search_rows("m", "main", frame, Settings())
    # Where its fold is held out, a fit that knew nothing of it would be off by thousands of nats there.
    assert max(row["score"] for row in rows if row["place"]) < 1


def test_a_larger_table_is_searched_on_whole_groups() -> None:
    frame = with_column(make_frame(3000), "max_frequency", np.arange(3000.0))
    frame = with_column(frame, "avg_frequency", np.arange(3000.0) % 7)
    (n,) = {row["n_rows"] for row in search_rows("m", "main", frame, Settings(search_rows=500))}
    assert 200 < n < 600
    assert search_rows("m", "main", frame, Settings(search_rows=0)) == []
