"""What the page shows is what the tables hold: each figure's rows against its SQL, and some of both against other SQL."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from memtax.report.sections import SECTIONS
from tests.report.pages import LAYERS, Report, with_attention

FIGURES = [figure.name for section in SECTIONS for figure in section.figures]


def same(shown: object, held: object) -> bool:
    if isinstance(held, float) and not math.isfinite(held):
        return shown is None
    if isinstance(shown, float) or isinstance(held, float):
        return shown is not None and held is not None and math.isclose(shown, held, rel_tol=1e-9, abs_tol=1e-300)
    return shown == held


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_shows_what_its_sql_gives(report: Report, figure: str) -> None:
    if figure not in report.parts.payloads:
        assert figure == "attention", "only attention is not computed by the demo"
        return
    rows = report.parts.payloads[figure]["rows"]
    assert rows
    held = report.fetch(report.parts.sql[figure])
    assert len(rows) == len(held)
    for shown, row in zip(rows, held, strict=True):
        assert all(map(same, shown, row)), (figure, shown, row)


def test_counts_of_categories_are_those_of_the_facts(report: Report) -> None:
    shown = {
        (row["model"], row["revision"], row["category"]): row["n_memorized"]
        for row in report.parts.rows("counts-by-checkpoint")
        if row["text_kind"] == "all"
    }
    held = report.fetch(
        "select model, revision, category, count(*) filter (memorized) from fct_memorization group by all"
    )
    assert shown == {row[:3]: row[3] for row in held}


def test_models_are_shown_at_their_last_checkpoints(report: Report) -> None:
    shown = {(row["model"], row["revision"]) for row in report.parts.rows("counts-by-model")}
    held = report.fetch("select model, arg_max(revision, training_fraction) from dim_models group by model")
    assert shown == set(held)
    assert next(row["model"] for row in report.parts.rows("counts-by-model")) == "demo-small", (
        "the smallest comes first"
    )


def test_prompts_have_wilson_intervals(report: Report) -> None:
    from statsmodels.stats.proportion import proportion_confint

    rows = report.parts.rows("memorized-by-prompt-length") + report.parts.rows("memorized-by-offset")
    assert len(rows) == 12
    for row in rows:
        low, high = proportion_confint(row["k"], row["n"], method="wilson")
        assert math.isclose(row["low"], low, abs_tol=1e-6)
        assert math.isclose(row["high"], high, abs_tol=1e-6)


def test_positions_are_thinned_by_their_own_dataset_and_without_loss(
    report_of: Callable[..., Report], changed: Callable[..., Path]
) -> None:
    # Beside the demo's, one that was sampled close together and one over thousands of positions.
    insert = (
        "insert into memorization_by_prompt select * exclude (n) replace ('{name}' as dataset, n as token_offset, "
        "10 as n_windows, {memorized} as n_memorized) from (select * from memorization_by_prompt where category = 'recitation' "
        "and dataset = 'demo_sample'), range({positions}) as s(n)"
    )
    page = report_of(
        changed(
            insert.format(name="dense", memorized="n % 10", positions="41"),
            insert.format(name="long", memorized="case when n % 20 = 0 then 0 else 5 end", positions="2000"),
        )
    )
    rows = page.parts.rows("memorized-by-offset")
    for run in {row["run"] for row in rows}:
        dense = [row for row in rows if row["sample"] == "dense in demo" and row["run"] == run]
        assert [(row["token_offset"], row["k"]) for row in dense] == [(n, n % 10) for n in range(41)]
        long = [row for row in rows if row["sample"] == "long in demo" and row["run"] == run]
        assert [row["token_offset"] for row in long] == list(range(0, 2000, 20))
        assert [row["last_token_offset"] for row in long] == list(range(19, 2000, 20))
        assert {(row["n"], row["k"]) for row in long} == {(200, 95)}
    assert "Of more than 100 positions" in page.parts.words["memorized-by-offset"]


def test_curves_have_the_areas_of_the_metrics(report: Report) -> None:
    areas = {
        (run, predictor, category): value
        for run, predictor, category, value in report.fetch(
            "select model || '@' || revision, predictor, category, value from taxonomy_metrics where measure = 'roc_auc' "
            "and split = 'test' and value is not null"
        )
    }
    curves: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for row in report.parts.rows("roc"):
        points = curves.setdefault((row["run"], row["predictor"], row["category"]), [])
        points.append((row["false_positive_rate"], row["recall"]))
    assert set(curves) == set(areas)
    for key, points in curves.items():
        assert points[0] == (0, 0)
        assert points[-1] == (1, 1)
        assert points == sorted(points)
        area = sum((x - w) * (y + v) / 2 for (w, v), (x, y) in itertools.pairwise(points))
        # Probabilities that the curve joins, and points that it leaves out, may move it a little.
        assert math.isclose(area, areas[key], abs_tol=0.03), key


def test_attention_is_averaged_over_the_heads_of_a_layer_and_then_over_windows(
    report: Report, report_of: Callable[..., Report], tmp_path: Path
) -> None:
    page = report_of(with_attention(report.database, tmp_path))
    heads = page.fetch(
        "select model || '@' || revision, memorized, entropy_heads, gini_heads from feat_sequence_model__attention "
        "inner join fct_memorization using (corpus, sequence_id, token_offset, model, revision)"
    )
    held: dict[tuple[object, ...], list[float]] = {}
    for run, memorized, *measures in heads:
        side = "memorized" if memorized else "not memorized"
        for measure, layers in zip(("entropy", "Gini coefficient"), measures, strict=True):
            for layer, values in enumerate(layers, 1):
                held.setdefault((run, side, layer, measure), []).append(statistics.fmean(values))
    rows = page.parts.rows("attention")
    assert {(row["run"], row["side"], row["layer"], row["measure"]) for row in rows} == set(held)
    assert {row["layer"] for row in rows} == set(range(1, LAYERS + 1))
    for row in rows:
        values = held[row["run"], row["side"], row["layer"], row["measure"]]
        assert row["n_sequences"] == len(values)
        assert math.isclose(row["mean"], statistics.fmean(values), rel_tol=1e-8)
        if len(values) > 1:
            half = 1.96 * statistics.stdev(values) / math.sqrt(len(values))
            assert math.isclose(row["low"], row["mean"] - half, rel_tol=1e-8)
            assert math.isclose(row["high"], row["mean"] + half, rel_tol=1e-8)


def test_the_search_keeps_the_best_of_each_pair(report: Report) -> None:
    held = {
        row[:3]: row[3:]
        for row in report.fetch(
            "select model || '@' || revision, first_feature, second_feature, min(score), min(place) from taxonomy_search "
            "where place is not null group by all"
        )
    }
    rows = report.parts.rows("search")
    assert len(rows) == len(held)
    for row in rows:
        score, place = held[row["run"], row["first_feature"], row["second_feature"]]
        assert math.isclose(row["best_score"], score, rel_tol=1e-9)
        # Less log-loss is a gain.
        assert math.isclose(row["gain"], row["baseline_score"] - score, rel_tol=1e-6, abs_tol=1e-9)
        assert row["best_place"] == place


def test_more_f1_is_a_gain_under_the_paper_protocol(
    report_of: Callable[..., Report], changed: Callable[..., Path]
) -> None:
    page = report_of(changed("update taxonomy_search set protocol = 'paper'"))
    for row in page.parts.rows("search"):
        assert math.isclose(row["gain"], row["best_score"] - row["baseline_score"], rel_tol=1e-6, abs_tol=1e-9)


def test_code_scores_add_up(report: Report) -> None:
    total = report.fetch("select count(*), count(*) filter (memorized) from features where nl_score is not null")[0]
    rows = report.parts.rows("code-scores")
    assert (sum(row["n_sequences"] for row in rows), sum(row["n_memorized"] for row in rows)) == total
    for row in report.parts.rows("code-thresholds"):
        if row["threshold"] == 1:
            assert row["share_below"] in (1, None)


def test_rows_of_the_marts_are_counted(report: Report) -> None:
    n = report.fetch("select count(*) from features")[0][0]
    words = report.parts.words["about"]
    assert f"features\n{n:,}" in words.replace("</td>", "\n").replace("\n\n", "\n") or f"features{n:,}" in words
