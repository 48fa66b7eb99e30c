"""What the page holds, whatever the store lacks; and that nothing in it can run or ask for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from memtax.errors import SourceError
from memtax.report import write_report
from memtax.report.page import embedded, resource
from memtax.report.sections import SECTIONS
from memtax.store import reading
from tests.report.pages import HOSTILE, Report, with_hostile_names

ALL = ["findings", *(section.name for section in SECTIONS), "about"]


def test_all_ten_sections_are_there_in_order(report: Report) -> None:
    assert report.parts.sections == ALL
    assert len(ALL) == 11
    titles = re.findall(r"<h2[^>]*>(\d+)\. ", report.parts.html)
    assert titles == [str(number) for number in range(1, 11)]


def test_every_figure_says_how_to_read_it_and_what_was_asked(report: Report) -> None:
    for section in SECTIONS:
        for figure in section.figures:
            if figure.name in report.parts.payloads:
                assert figure.reading in report.parts.words[figure.name]
                assert report.parts.sql[figure.name].startswith("-- ")
                assert "$runs" not in report.parts.sql[figure.name]


def test_the_findings_name_the_largest_model_at_its_end(report: Report) -> None:
    words = report.parts.words["findings"]
    last = report.fetch("select arg_max(model || '@' || revision, model_place) from dim_models")[0][0]
    n, k = report.fetch(
        "select n_sequences, n_memorized from memorization_by_category where text_kind = 'all' and category = 'all' and "
        "model || '@' || revision = ?",
        last,
    )[0]
    assert f"Of {n:,} windows of demo_sample in demo, {last} has memorized {k:,}" in words


def test_the_same_store_gives_the_same_bytes(report: Report, report_of: Callable[..., Report]) -> None:
    assert report_of(report.database).parts.html == report.parts.html


def test_the_page_asks_for_nothing(report: Report) -> None:
    for tag, given in report.parts.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
        assert not {"src", "srcset", "action", "background"} & set(given)
        assert not [name for name in given if name.startswith("on")]
        assert (given.get("href") or "#").startswith("#")
    policy = next(given["content"] for _, given in report.parts.tags if "http-equiv" in given)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert not re.search(r"url\(|@import", resource("page.css"))


def test_missing_tables_are_named_with_what_makes_them(changed: Callable[..., Path], report_of: Callable) -> None:
    taxonomy = [f"taxonomy_{name}" for name in ("models", "metrics", "predictions", "reliability", "comparisons")]
    database = changed(*(f"drop table {name}" for name in taxonomy))
    parts = report_of(database).parts
    assert parts.sections == ALL
    for name in ("performance", "differences", "roc", "precision-recall", "reliability", "coefficients"):
        assert name not in parts.payloads
        assert "The store has no table taxonomy_" in parts.words[name]
        assert "dbt run" in parts.words[name]
    assert "counts-by-model" in parts.payloads
    assert "log-loss" not in parts.words["findings"]


def test_coefficients_are_told_where_only_their_intercept_is_off(
    changed: Callable[..., Path], report_of: Callable, report: Report
) -> None:
    off = "'fitted, but no memorized training row is representative: probabilities are too large for the sample'"
    separable = "'fitted, but the rows are separable: only the penalty bounds the coefficients'"
    update = "update taxonomy_models set status = {} where status = 'fitted'"
    told = "has the largest coefficient"
    assert told in report.parts.words["findings"]
    assert told in report_of(changed(update.format(off))).parts.words["findings"]
    assert told not in report_of(changed(update.format(separable))).parts.words["findings"]


def test_a_section_that_was_not_computed_says_which_command_does(report: Report) -> None:
    assert "dbt run --vars '{attention: true}'" in report.parts.words["attention"]


def test_a_store_without_marts_gives_a_page(tmp_path: Path, report_of: Callable) -> None:
    database = tmp_path / "empty.duckdb"
    duckdb.connect(str(database)).close()
    parts = report_of(database).parts
    assert parts.sections == ALL
    assert parts.payloads == {}
    assert "memtax ingest features DATASET SOURCE --model M" in parts.words["findings"]


def test_empty_marts_give_a_page(changed: Callable[..., Path], report_of: Callable, report: Report) -> None:
    names = [name for (name,) in report.fetch("select table_name from duckdb_tables() where schema_name = 'main'")]
    parts = report_of(changed(*(f"delete from {name}" for name in names))).parts
    assert parts.sections == ALL
    assert parts.payloads == {}


def test_a_store_of_one_model_gives_a_page(changed: Callable[..., Path], report_of: Callable, report: Report) -> None:
    names = [
        name
        for (name,) in report.fetch(
            "select distinct table_name from duckdb_columns() where schema_name = 'main' and column_name = 'revision'"
        )
    ]
    last = "(select arg_max(revision, training_fraction) from dim_models where model = 'demo-large')"
    order = sorted(names, key=lambda name: name == "dim_models")
    database = changed(*(f"delete from {name} where model <> 'demo-large' or revision <> {last}" for name in order))
    parts = report_of(database).parts
    assert set(parts.payloads) == set(report.parts.payloads)
    assert "The larger model" not in parts.words["findings"]
    assert "training goes on" not in parts.words["findings"]


def test_hostile_names_stay_text(report: Report, tmp_path: Path, report_of: Callable) -> None:
    page = report_of(with_hostile_names(report.database, tmp_path)).parts
    assert page.sections == ALL
    assert [tag for tag, _ in page.tags].count("img") == 0
    assert [tag for tag, _ in page.tags].count("script") == [tag for tag, _ in report.parts.tags].count("script")
    assert HOSTILE in page.words["about"]
    assert page.rows("counts-by-model")[0]["sample"].startswith(HOSTILE)


def test_data_cannot_end_its_block() -> None:
    value = {"a": ["</script>", "<!--", "&amp;", "\u2028"]}
    text = str(embedded(value))
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


def test_the_page_does_not_grow_with_the_rows(
    changed: Callable[..., Path], report_of: Callable, report: Report
) -> None:
    many = changed(
        "insert into taxonomy_predictions select * exclude (n) from taxonomy_predictions, range(40) as copies(n)",
        "insert into features select * exclude (n) from features, range(40) as copies(n)",
        *(
            f"update {table} set n_sequences = n_sequences * 20000, n_memorized = n_memorized * 20000"
            for table in ("memorization_by_category", "memorization_by_duplicates", "memorization_by_text_kind")
        ),
    )
    grown = report_of(many)
    assert grown.path.stat().st_size < 1.05 * report.path.stat().st_size
    # A figure holds a bounded number of rows for each model and checkpoint.
    for name, payload in grown.parts.payloads.items():
        assert len(payload["rows"]) == len(report.parts.payloads[name]["rows"]), name


def test_the_page_of_the_demo_is_small(report: Report) -> None:
    assert report.path.stat().st_size < 4e6


def test_models_keep_their_order_whichever_dataset_knows_them(
    changed: Callable[..., Path], report_of: Callable
) -> None:
    # The dataset that comes first by name knows the last model alone.
    last = "model_place = (select max(model_place) from dim_models)"
    report = report_of(
        changed(
            *(
                f"insert into {name} select * replace ('a' as dataset) from {name} where {last}"
                for name in ("memorization_by_category", "memorization_by_duplicates", "memorization_by_text_kind")
            )
        )
    )
    places = dict(report.fetch("select model || '@' || revision, model_place from dim_models"))
    for figure, column in (
        ("memorized-by-duplicates-and-model", "curve"),
        ("memorized-by-text-kind", "model_and_checkpoint"),
    ):
        found = list(dict.fromkeys(row[column] for row in report.parts.rows(figure)))
        assert found == sorted(places, key=places.__getitem__), figure
    assert re.findall(r"<option[^>]*>(demo-[^<]*)", report.parts.html) == sorted(
        places, key=places.__getitem__, reverse=True
    )


def test_sizes_that_names_state_are_sizes(changed: Callable[..., Path], report_of: Callable) -> None:
    # What was landed as published has no counted parameters.
    database = changed("update dim_models set n_parameters = null, model_size = 1000 * (model_place - 1) // 3")
    assert "The larger model memorizes more: " in report_of(database).parts.words["findings"]


def test_of_a_set_of_memorized_windows_nothing_is_compared(changed: Callable[..., Path], report_of: Callable) -> None:
    database = changed(
        *(
            f"update {name} set n_sequences = n_memorized, p_memorized = 1, p_memorized_low = 0.9, p_memorized_high = 1"
            for name in ("memorization_by_category", "memorization_by_duplicates", "memorization_by_text_kind")
        )
    )
    words = report_of(database).parts.words["findings"]
    assert "it is a set of memorized windows" in words
    assert "Of those memorized, " in words
    assert "of whose windows" not in words
    assert "cannot be told apart" not in words
    assert "What is memorized more often" not in words


def test_a_set_that_one_model_was_chosen_by_is_no_sample_for_the_others(
    changed: Callable[..., Path], report_of: Callable
) -> None:
    last = "model_place = (select max(model_place) from dim_models)"
    chosen = "'memories' as dataset, n_sequences * 9 as n_sequences"
    database = changed(
        f"insert into memorization_by_category select * replace ({chosen}, n_memorized * 9 as n_memorized) "
        "from memorization_by_category",
        f"update memorization_by_category set n_memorized = n_sequences where dataset = 'memories' and {last}",
    )
    # Larger, and yet not what the page opens with.
    parts = report_of(database).parts
    assert "windows of memories" not in parts.words["findings"]
    (sample,) = {row["sample"] for row in parts.rows("counts-by-model") if row["sample"].startswith("memories")}
    words = report_of(database, dataset=sample, models=("demo-small",)).parts.words["findings"]
    assert "it is a set of windows that were chosen for that" in words
    assert "What is memorized more often" not in words
    assert "of whose windows" not in words


def test_the_page_opens_with_a_model_that_the_dataset_has(changed: Callable[..., Path], report_of: Callable) -> None:
    # The largest dataset knows the first model alone, and the last model another dataset.
    first, last = (f"model_place = (select {end}(model_place) from dim_models)" for end in ("min", "max"))
    database = changed(
        f"delete from memorization_by_category where not ({first} or {last})",
        f"update memorization_by_category set dataset = 'probe', n_sequences = n_sequences - 1 where {last}",
    )
    report = report_of(database)
    ((run,),) = report.fetch(f"select model || '@' || revision from dim_models where {first}")
    assert f"<strong>{run}</strong>" in report.parts.html
    assert re.findall(r"<option selected>([^<]*)", report.parts.html) == [run]
    assert f"{run} has memorized" in report.parts.words["findings"]
    assert any(row["run"] == run for row in report.parts.rows("memorized-by-duplicates"))


def test_of_many_checkpoints_some_are_left_out_and_named(changed: Callable[..., Path], report_of: Callable) -> None:
    tables = ("dim_models", "memorization_by_category", "memorization_by_duplicates")
    database = changed(
        *(
            f"insert into {name} select * exclude (n) replace (model || n as model, model_place + 3 * (1 + n) as model_place) "
            f"from {name}, range(4) as copies(n) where model = 'demo-large'"
            for name in tables
        )
    )
    parts = report_of(database).parts
    shown = {row["curve"] for row in parts.rows("memorized-by-duplicates-and-model")}
    assert len(shown) == 12
    assert {name.split("@")[0] for name in shown} >= {"demo-small", "demo-large", "demo-large3"}
    assert {row["run"] for row in parts.rows("memorized-by-duplicates")} == shown
    assert "6 more are in the store" in parts.words["findings"]
    one = report_of(database, models=("demo-large2",)).parts
    assert {row["curve"].split("@")[0] for row in one.rows("memorized-by-duplicates-and-model")} == {"demo-large2"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ("nobody",)}, "no evaluated model 'nobody'; there are: demo-small@"),
        ({"dataset": "x"}, "no dataset 'x'"),
    ],
)
def test_what_is_not_there_is_refused(
    report: Report, report_of: Callable, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        report_of(report.database, **options)


def test_a_place_that_cannot_be_written_is_refused(report: Report, tmp_path: Path) -> None:
    with reading(report.database) as connection:
        with pytest.raises(SourceError, match="is not a folder; create it"):
            write_report(connection, tmp_path / "nowhere" / "report.html")
        with pytest.raises(SourceError, match="is a folder; name a file"):
            write_report(connection, tmp_path)


def test_a_page_is_written_whole_or_not_at_all(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("the one before", encoding="utf-8")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with reading(report.database) as connection, pytest.raises(KeyboardInterrupt):
        write_report(connection, path)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8") == "the one before"
