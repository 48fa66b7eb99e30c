"""The published search: the paper's candidates in the paper's order, with the paper's figures, and a kill that loses little."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from memtax.taxonomy import published_measures, published_search
from memtax.taxonomy.frame import CATEGORIES, Frame
from memtax.taxonomy.published_search import published_search_rows
from memtax.taxonomy.settings import Settings
from tests.taxonomy.samples import make_frame, with_column

PARITY = "seed_taxonomy_parity"
POSITIONS = range(330, 333)
OURS = {"0_8_templates": "paper_templates_0_8", "0_8_snowclones": "paper_snowclones_0_8"}
FOLD_NAMES = {
    "roc_auc": "roc_auc",
    "pr_auc": "pr_auc",
    "precision": "precision_",
    "recall": "recall_",
    "calibration_error": "ece",
}
PAPERS_OWN = (
    "huffman_coding_length",
    "is_templating",
    "generation_perplexity",
    "prompt_perplexity",
    "sequence_perplexity",
)


def read_parity(folder: Path, features: list[str]) -> Frame:
    files = [str(folder / PARITY / name) for name in ("pile.parquet", "memories.parquet")]
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select * exclude (n), is_incrementing or is_repeating as is_templating from ("
            f"select *, 1 as representative, row_number() over () as n from '{files[0]}' union all "
            f"select *, 0 as representative, row_number() over () as n from '{files[1]}') order by representative desc, n"
        ).fetchnumpy()
    columns = {name: np.asarray(column, dtype=np.float64) for name, column in rows.items()}
    infrequent = np.where(columns["is_templating"] > 0, "reconstruction", "recollection")
    n = len(infrequent)
    return Frame(
        features=tuple(OURS.get(name, f"paper_{name}" if name in PAPERS_OWN else name) for name in features),
        values=np.column_stack([columns[name] for name in features]),
        labels=columns["memorization_score"] == 1,
        columns={"category": np.where(columns["sequence_duplicates"] >= 6, "recitation", infrequent).astype(object)},
        representative=columns["representative"] > 0,
        test=np.zeros(n, bool),
        fold=np.zeros(n, np.int64),
        groups=np.arange(n),
    )


def agree(found: dict[str, Any], figures: dict[str, Any]) -> None:
    np.testing.assert_allclose(found["coefficients"], [*figures["coef"], figures["intercept"]], atol=1e-6)
    for split, areas in found["areas"].items():
        np.testing.assert_allclose(areas, [figures[f"{split}_roc_auc"], figures[f"{split}_pr_auc"]], atol=1e-6)
    # The paper puts the intercept first.
    np.testing.assert_allclose(np.roll(found["wald"], 1), figures["wald_stats"], rtol=1e-5, atol=1e-8)
    assert found["calibration_error"] == pytest.approx(figures["expected_calibration_error"], abs=1e-6)
    assert found["likelihood_ratio_p"] == pytest.approx(figures["lrt_pvalue"], rel=1e-6)


def test_the_candidates_at_the_published_positions_have_the_published_figures(shared_data: Path) -> None:
    expected = json.loads((shared_data / PARITY / "expected.json").read_text())
    prepared = published_search._prepare(read_parity(shared_data, expected["baseline"]["features"]))
    assert prepared is not None
    search, thresholds = prepared
    assert len(search.plan.candidates) == 810
    for position, (name, figures) in zip(POSITIONS, expected["search"].items(), strict=True):
        candidate = search.plan.candidates[position]
        first, second = (search.plan.thresholds[number] for number in (candidate.first, candidate.second))
        assert f"{first.feature}-{first.quantile}/{second.feature}-{second.quantile}" == name
        assert thresholds[candidate.first].feature == "paper_huffman_coding_length"
        fits = {part: search.fit_part(part) for part in candidate.parts}
        for number, part in enumerate(candidate.parts, 1):
            agree(fits[part], figures[f"taxonomy_{number}"])
        # Means over folds that the paper's code draws anew in every run.
        metrics = {"model": search.metrics(candidate, fits), "baseline": search.baseline_metrics()}
        found = {
            f"{who}_{'aggregate' if category == 'all' else category}_{FOLD_NAMES[measure]}": value
            for who, by_category in metrics.items()
            for category, values in by_category.items()
            for measure, value in values.items()
        }
        assert set(found) == set(figures["prediction_metrics"])
        for measure, value in found.items():
            assert value == pytest.approx(figures["prediction_metrics"][measure], abs=1.5e-3), (name, measure)


def test_what_is_stored_can_be_applied_to_other_rows() -> None:
    frame = searchable(2400)
    rows = published_search_rows("m", "main", frame, Settings(protocol="paper"))
    best = next(row for row in rows if row.get("place") == 1)
    prepared = published_search._prepare(frame)
    assert prepared is not None
    test = frame.take(prepared[0].test)
    first = test.column(best["first_feature"]) >= best["first_threshold"]
    second = test.column(best["second_feature"]) >= best["second_threshold"]
    p = np.empty(len(test))
    for part, inside in zip(json.loads(best["parts"]), (first, ~first & second, ~first & ~second), strict=True):
        own = [test.features.index(name) for name in part["features"]]
        scaled = (test.values[inside][:, own] - part["means"]) / part["scales"]
        p[inside] = published_measures.probabilities(np.array(part["coefficients"]), scaled)
    stored = json.loads(best["prediction_metrics"])
    assert set(stored["model"]) == set(stored["baseline"]) == {"all", *CATEGORIES}
    for category, found in stored["model"].items():
        inside = (test.columns["category"] == category) | (category == "all")
        for measure, value in published_measures.fold_metrics(test.labels[inside], p[inside]).items():
            assert found[measure] == pytest.approx(value, abs=1e-12)
    precision, recall = (stored["model"]["all"][measure][0] for measure in ("precision", "recall"))
    assert best["score"] == pytest.approx(2 * precision * recall / (precision + recall))


def test_what_is_not_defined_is_stored_as_json_that_others_read(frame: Frame) -> None:
    # Each category has fewer than 100 test rows, and all have more.
    rows = published_search_rows("m", "main", frame, Settings(protocol="paper"))
    texts = [row[name] for row in rows if row.get("place") for name in ("parts", "prediction_metrics")]
    assert texts
    with duckdb.connect() as connection:
        assert connection.execute(
            "select bool_and(json_valid(text)) from unnest($1) as t (text)", [texts]
        ).fetchall() == [(True,)]
    assert json.loads(texts[1])["model"]["reconstruction"]["roc_auc"] == [None, None]


def test_candidates_are_not_ranked_on_test_rows_that_have_no_folds(frame: Frame) -> None:
    rows = published_search_rows("m", "main", frame.take(np.arange(400)), Settings(protocol="paper"))
    fitted = [row for row in rows if row.get("parts")]
    assert fitted
    assert {row["status"] for row in fitted} == {"not ranked: fewer than 100 test rows, no folds"}
    assert not any(row.get("place") for row in rows)


@pytest.fixture
def frame() -> Frame:
    return searchable(1200)


def searchable(n: int) -> Frame:
    frame = make_frame(n)
    rng = np.random.default_rng(5)
    for name in ("max_frequency", "paper_templates_0_8"):
        frame = with_column(frame, name, rng.normal(size=len(frame)))
    frame = with_column(frame, "sequence_duplicates", np.ones(len(frame)))
    frame.representative[np.flatnonzero(frame.labels)[::2]] = False
    return frame


def test_every_candidate_is_ranked_or_says_why_not(frame: Frame) -> None:
    rows = published_search_rows("m", "main", frame, Settings(protocol="paper"))
    assert [row["position"] for row in rows] == list(range(54))
    # The paper's name 0_8_templates comes before max_frequency, ours after.
    assert rows[0]["first_feature"] == "paper_templates_0_8"
    ranked = sorted((row for row in rows if row.get("place")), key=lambda row: row["place"])
    assert [row["score"] for row in ranked] == sorted((row["score"] for row in ranked), reverse=True)
    assert len(json.loads(ranked[0]["parts"])) == 3
    # Every row reaches the only value of sequence_duplicates: the other parts are empty.
    unranked = [row for row in rows if not row.get("place")]
    assert unranked
    assert all("both are needed" in row["status"] for row in unranked)
    assert all("sequence_duplicates" in (row["first_feature"], row["second_feature"]) for row in unranked)


def test_a_killed_search_goes_on(frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(protocol="paper")
    whole = published_search_rows("m", "main", frame, settings)
    monkeypatch.setattr(published_search, "FITTED_TOGETHER", 30)
    fitted: list[int] = []
    fit_part = published_search.PublishedSearch.fit_part

    def stopping(search: published_search.PublishedSearch, part: int) -> dict[str, Any]:
        if part == 31 and not list(tmp_path.glob("*stopped")):
            (tmp_path / "stopped").touch()
            raise KeyboardInterrupt
        fitted.append(part)
        return fit_part(search, part)

    monkeypatch.setattr(published_search.PublishedSearch, "fit_part", stopping)
    with pytest.raises(KeyboardInterrupt):
        published_search_rows("m", "main", frame, settings, tmp_path)
    fitted.clear()
    again = published_search_rows("m", "main", frame, settings, tmp_path)
    assert min(fitted) == 30
    assert json.dumps(again, default=float) == json.dumps(whole, default=float)


def test_without_memorized_sequences_or_where_it_is_turned_off_nothing_is_searched(frame: Frame) -> None:
    assert published_search_rows("m", "main", frame, Settings(protocol="paper", search_rows=0)) == []
    assert published_search_rows("m", "main", frame.take(frame.representative), Settings(protocol="paper")) == []
