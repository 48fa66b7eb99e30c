"""Which models, datasets and rows are on the page, how often, and what is said where there are none."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from memtax.report.write import _spread
from tests.report.pages import Report, changed_copy

PLACES = ("dim_models", "memorization_by_category", "memorization_by_duplicates", "memorization_by_text_kind")


@pytest.fixture
def many(report: Report, tmp_path: Path) -> Path:
    """A store of two models at 120 checkpoints each."""
    grown = "'step' || (1000 * n) as revision, (model_place * 1000 + n) as model_place"
    return changed_copy(
        report.database,
        tmp_path,
        *(
            statement
            for table in PLACES
            for statement in (
                f"create temp table grown as select * exclude (n) replace ({grown}) from {table}, range(1, 121) as s(n) "
                "where revision in ('step351', 'step156')",
                f"delete from {table}",
                f"insert into {table} select * from grown",
                "drop table grown",
            )
        ),
    )


def checkpoints(page: Report) -> list[tuple[str, int]]:
    runs = {row["run"] for row in page.parts.rows("memorized-by-duplicates")}
    return sorted((run.split("@step")[0], int(run.split("@step")[1]) // 1000) for run in runs)


def test_by_default_checkpoints_are_spread_over_training(many: Path, report_of: Callable[..., Report]) -> None:
    page = report_of(many)
    shown = checkpoints(page)
    assert len(shown) == 12
    assert [model for model, _ in shown].count("demo-small") == 1 and ("demo-small", 120) in shown
    large = [step for model, step in shown if model == "demo-large"]
    assert large[0] == 1 and large[-1] == 120
    assert all(10 <= later - earlier <= 14 for earlier, later in itertools.pairwise(large))


def test_a_named_model_has_a_bounded_number_of_checkpoints(many: Path, report_of: Callable[..., Report]) -> None:
    page = report_of(many, models=("demo-large", "demo-large@step57000"))
    steps = [step for model, step in checkpoints(page) if model == "demo-large"]
    assert len(steps) == 41 and steps[0] == 1 and steps[-1] == 120 and 57 in steps
    assert "<code>--model NAME@REVISION</code> one checkpoint" in page.parts.html
    # All checkpoints of a model that is shown, and of no other.
    assert {row["model"] for row in page.parts.rows("counts-by-checkpoint")} == {"demo-large"}
    assert len({row["revision"] for row in page.parts.rows("counts-by-checkpoint")}) == 120


def test_what_is_spread_is_spread_evenly() -> None:
    items = [str(number) for number in range(10)]
    assert _spread(items, 4) == ["9", "6", "3", "0"]
    assert _spread(items, 1) == ["9"]
    assert _spread(items, 20) == items


def test_rows_that_several_figures_show_are_on_the_page_once(report: Report) -> None:
    figures = [name for name, payload in report.parts.payloads.items() if payload["question"] == "curves"]
    assert figures == ["roc", "precision-recall"]
    assert report.parts.html.count('data-answer="curves"') == 1
    assert report.parts.html.count('"false_positive_rate","precision"],"rows"') == 1


@pytest.mark.parametrize("asked", ["books in english", "books in english in demo"])
def test_a_dataset_may_have_any_name(changed: Callable[..., Path], report_of: Callable, asked: str) -> None:
    database = changed("update memorization_by_category set dataset = 'books in english'")
    assert "windows of books in english in demo" in report_of(database, dataset=asked).parts.words["findings"]


def test_windows_of_which_nothing_is_known_are_no_memorized_ones(
    changed: Callable[..., Path], report_of: Callable
) -> None:
    run = "model = 'demo-large' and revision = 'step351'"
    known = "n_sequences = n_memorized, p_memorized = 1, p_memorized_low = 0.9, p_memorized_high = 1"
    database = changed(
        f"update features set memorized = null where {run} and not memorized",
        f"update memorization_by_category set {known} where {run}",
    )
    words = report_of(database).parts.words["findings"]
    assert "is known for 147 of 400 windows of demo_sample in demo. These it has" in words
    assert "set of memorized windows" not in words
    other = report_of(database, models=("demo-small@step156",)).parts.words["findings"]
    assert "they may have been chosen for that" in other
    assert "it is a set of windows that were chosen" not in other


def test_shares_are_of_the_windows_that_are_known(changed: Callable[..., Path], report_of: Callable) -> None:
    database = changed(
        "update features set memorized = null where model = 'demo-large' and revision = 'step351' and sequence_id % 10 = 0 "
        "and not memorized"
    )
    ((unknown,),) = report_of(database).fetch("select count(*) from features where memorized is null")
    words = report_of(database).parts.words["findings"]
    assert (
        f"Of 400 of {400 + unknown} windows of demo_sample in demo of which it is known, demo-large@step351 has"
        in words
    )


def test_names_cannot_turn_the_numbers_round(changed: Callable[..., Path], report_of: Callable) -> None:
    turned = "model || chr(8238) || 'y'"
    tables = (*PLACES, "taxonomy_models", "taxonomy_metrics", "memorization_by_prompt")
    page = report_of(changed(*(f"update {table} set model = {turned}" for table in tables)))
    parts = page.parts
    # SQL stays as it runs.
    assert "\u202e" not in re.sub(r"<pre.*?</pre>", "", parts.html, flags=re.DOTALL)
    options = re.findall(r"<option[^>]*>(demo-[^<]*)", parts.html)
    assert options and all("\\u202ey@" in option for option in options)
    assert {row["run"] for row in parts.rows("memorized-by-duplicates")} <= set(options)
    assert "demo-large\\u202ey@step351 has memorized" in parts.words["findings"]
    assert page.fetch(parts.sql["memorized-by-duplicates"])


def test_where_no_model_was_evaluated_that_is_the_reason(
    changed: Callable[..., Path], report_of: Callable, report: Report
) -> None:
    with_models = [
        name
        for (name,) in report.fetch(
            "select distinct table_name from duckdb_columns() where schema_name = 'main' and column_name = 'revision'"
        )
    ]
    words = report_of(changed(*(f"delete from {name}" for name in with_models))).parts.words
    for figure in ("memorized-by-duplicates", "counts-by-model", "performance", "attention", "code-scores"):
        assert "No model was evaluated. What would change that: memtax ingest model" in words[figure], figure
        assert "ingest corpus" not in words[figure]


def test_of_landed_scores_no_model_can_be_asked_again(
    changed: Callable[..., Path], report_of: Callable, report: Report
) -> None:
    landed = report_of(changed("update memorization_by_prompt set avg_continuation_log_probability = null"))
    for figure, hint in (("memorized-by-prompt-length", "dbt run"), ("memorized-by-offset", "memtax sample")):
        assert any(hint in note for note in report.parts.payloads[figure]["notes"].values())
        for note in landed.parts.payloads[figure]["notes"].values():
            assert "The scores were landed." in note and hint not in note


def test_numbers_of_the_project_are_there_to_print(report: Report) -> None:
    about = report.parts.html.split('<section id="about"')[1]
    assert "Vars of the project" in about and not re.search(r"<details>", about)
