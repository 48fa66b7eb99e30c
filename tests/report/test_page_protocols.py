"""What the figures show of the taxonomy, and what they say of it, is true under either protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.pages import Report

PAPER_METHODS = {
    "roc_auc": "probabilities",
    "pr_auc": "probabilities",
    "calibration_error": "top label, 10 equal bins, as published",
}


def test_of_the_papers_methods_one_is_shown(paper_report: Report) -> None:
    held = {
        tuple(key): value
        for *key, measure, method, value in paper_report.fetch(
            "select model || '@' || revision, category, predictor, measure, measure, method, value from taxonomy_metrics "
            "where split = 'test' and value is not null"
        )
        if PAPER_METHODS.get(measure) == method
    }
    rows = paper_report.parts.rows("performance")
    shown = {(row["run"], row["category"], row["predictor"], row["measure"]): row["value"] for row in rows}
    assert len(shown) == len(rows), "one row for each"
    assert shown == pytest.approx(held)
    # Neither areas of hard predictions, which would be the baseline's in a category, nor panels without a dot.
    assert {(row["category"] == "all", row["predictor"]) for row in rows} == {(True, "baseline"), (False, "taxonomy")}
    assert {row["measure"] for row in rows} == set(PAPER_METHODS)
    assert all(row["method"] == PAPER_METHODS[row["measure"]] for row in rows)


def test_captions_are_those_of_the_protocol(report: Report, paper_report: Report) -> None:
    def said(page: Report, figure: str) -> str:
        notes = page.parts.payloads[figure]["notes"]
        return str(notes.get("demo-large@step351", ""))

    assert "The windows share no continuation with those trained on" in said(report, "performance")
    assert "Under the protocol paper" not in said(report, "performance")
    paper = said(paper_report, "performance")
    assert paper.startswith("Under the protocol paper: the windows may share continuations with those trained on")
    assert "bootstrap" not in paper + paper_report.parts.words["performance"]
    assert "That is not said under the protocol paper" in paper_report.parts.words["findings"]
    assert "under the protocol paper" not in report.parts.words["findings"]
    for figure in ("divergences", "divergences-by-duplicates"):
        assert figure not in report.parts.payloads or said(report, figure) == ""
        assert said(paper_report, figure).startswith("Under the protocol paper: of the memorized windows from all")


def test_dots_of_few_windows_are_hollow_whatever_the_status_calls_them(paper_report: Report) -> None:
    few = [row for row in paper_report.parts.rows("divergences-by-duplicates") if row["n_memorized"] < 30]
    assert few and {row["status"] for row in few} == {"computed"}
    spec = str(paper_report.parts.payloads["divergences-by-duplicates"]["spec"])
    assert "datum.n_memorized >= 30 && datum.n_other >= 30" in spec
    assert "datum.status" not in spec


def test_coefficients_without_an_interval_have_a_mark_of_their_own(report: Report, paper_report: Report) -> None:
    assert {row["standardized_low"] for row in paper_report.parts.rows("coefficients")} == {None}
    spec = str(paper_report.parts.payloads["coefficients"]["spec"])
    assert "cross" in spec and "a cross has none" in paper_report.parts.words["coefficients"]


def test_a_predictor_for_which_the_baseline_answered_is_said_to_be_its_equal(report: Report) -> None:
    n, fallback = report.fetch(
        "select n_rows, n_fallback_rows from taxonomy_metrics where model = 'demo-small' and revision = 'step156' and "
        "predictor = 'tree' and category = 'all' and measure = 'log_loss'"
    )[0]
    assert fallback > 0
    assert (
        f"{fallback:,} of {n:,} windows of tree" in report.parts.payloads["performance"]["notes"]["demo-small@step156"]
    )
    assert "n_fallback_rows" in str(report.parts.payloads["performance"]["spec"])


def test_what_could_not_be_measured_is_no_empty_chart(report: Report) -> None:
    unmeasured = {
        run
        for (run,) in report.fetch(
            "select model || '@' || revision from taxonomy_metrics group by 1 having count(value) = 0"
        )
    }
    assert unmeasured
    assert not unmeasured & {row["run"] for row in report.parts.rows("performance")}
    assert report.parts.payloads["performance"]["empty"].startswith(
        "No taxonomy was trained, or none could be measured"
    )


def test_cautions_are_those_of_the_chosen_model(changed: Callable[..., Path], report_of: Callable) -> None:
    database = changed(
        "update taxonomy_models set status = 'odd in ' || model where predictor = 'baseline' and status = 'fitted'"
    )
    notes = report_of(database).parts.payloads["coefficients"]["notes"]
    assert "baseline: odd in demo-large" in notes["demo-large@step351"]
    assert "demo-small" not in notes["demo-large@step351"]


def test_the_taxonomys_datasets_are_named(changed: Callable[..., Path], report_of: Callable, report: Report) -> None:
    table = "intermediate.int_taxonomy__datasets"
    other = f"insert into {table} select * replace ('second' as dataset) from {table}"
    words = report_of(changed(other)).parts.words
    assert "Does the taxonomy predict it better? (windows of demo_sample, second)" in words["findings"]
    assert "What weighs most in each category (windows of demo_sample, second)" in words["findings"]
    for section in ("performance", "coefficients", "correlations", "distributions", "search"):
        assert "whichever dataset is chosen above: those of demo_sample, second." in words[f"{section}"], section
    assert "whichever dataset" not in words["categories"]
    # A store that memtax of another version made may not have that table.
    assert (
        "Does the taxonomy predict it better?\n"
        in (report_of(changed("drop table intermediate.int_taxonomy__datasets")).parts.words["findings"])
    )


def test_curves_along_the_frame_are_not_cut(report: Report) -> None:
    for figure in ("roc", "precision-recall"):
        assert "'clip'" not in str(report.parts.payloads[figure]["spec"])
