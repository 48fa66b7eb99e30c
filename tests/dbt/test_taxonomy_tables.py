"""The taxonomy's tables on landed feature tables: both protocols, and the published shares."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtax import store
from tests.conftest import PROJECT, Commands

pytestmark = pytest.mark.slow

PARITY = "seed_taxonomy_parity"
CATEGORIES = ("recitation", "reconstruction", "recollection")
TAXONOMY = ["--select", "+int_taxonomy__rows", "+memorization_by_text_kind", "+memorization_by_duplicates"]
EVERYTHING = [
    "--select",
    "+taxonomy_models",
    "+taxonomy_metrics",
    "+taxonomy_tests",
    "+taxonomy_correlations",
    "+taxonomy_divergences",
    "+memorization_distributions",
    "+taxonomy_search",
    *TAXONOMY[1:],
]


def fetch(path: Path, sql: str, *parameters: object) -> list[tuple]:
    with store.reading(path) as connection:
        return connection.execute(sql, list(parameters)).fetchall()


def feature_rows(n: int, seed: int, first: int = 0, memorized: bool | None = None) -> pa.Table:
    """A made feature table in memtax's columns."""
    rng = np.random.default_rng(seed)
    duplicates = rng.geometric(0.2, n)
    perplexity = np.exp(rng.normal(1, 0.5, n))
    log_odds = -1 + 0.4 * duplicates - perplexity
    labels = rng.random(n) < 1 / (1 + np.exp(-log_odds)) if memorized is None else np.full(n, memorized)
    return pa.table(
        {
            "sequence_id": np.arange(first, first + n),
            "sequence_duplicates": duplicates,
            "is_templating": rng.random(n) < 0.3,
            "generation_perplexity": perplexity,
            "max_frequency": rng.integers(1, 10**6, n),
            "nl_score": rng.random(n),
            "memorized": labels,
        }
    )


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory, make_commands: Callable[[Path], Commands]) -> Commands:
    folder = tmp_path_factory.mktemp("taxonomy")
    commands = make_commands(folder / "memtax.duckdb")
    pq.write_table(feature_rows(1500, 1), folder / "sample.parquet")
    pq.write_table(feature_rows(200, 2, first=1400, memorized=True), folder / "memories.parquet")
    for name in ("sample", "memories"):
        commands.memtax(
            "ingest", "features", name, folder / f"{name}.parquet", "--model", "pythia@step1", "--corpus", "c"
        )
    commands.dbt("run", *EVERYTHING, "+taxonomy_predictions", "+taxonomy_comparisons")
    return commands


def test_landed_rows_are_features_of_a_known_origin(corrected: Commands) -> None:
    found = fetch(
        corrected.database,
        "select dataset, origin, count(*), count(source_row), count(category) from features group by all order by 1",
    )
    assert found == [("memories", "landed", 200, 200, 200), ("sample", "landed", 1500, 1500, 1500)]
    assert fetch(corrected.database, "select model, revision, corpus from dim_models") == [("pythia", "step1", "c")]


def test_a_window_of_two_datasets_counts_once_and_as_representative(corrected: Commands) -> None:
    found = fetch(
        corrected.database,
        "select count(*), count(distinct sequence_id), count(*) filter (is_representative), "
        "count(*) filter (is_representative and sequence_id >= 1400), any_value(grouped_by) "
        "from intermediate.int_taxonomy__rows",
    )
    assert found == [(1600, 1600, 1500, 100, "sequence_id")]


def test_a_part_of_a_run_under_another_protocol_is_refused(corrected: Commands) -> None:
    before = fetch(corrected.database, "select count(*), min(protocol), max(protocol) from taxonomy_metrics")
    part = corrected.dbt_command("run", "--select", "int_taxonomy__metrics", "--vars", "protocol: paper")
    refused = subprocess.run(part, cwd=PROJECT, env=corrected.dbt_environment(), capture_output=True, text=True)
    assert refused.returncode != 0
    assert (
        "the var protocol is paper, and this model reads what was made under the protocol corrected" in refused.stdout
    )
    # What only renames says whose it is, whatever the var says.
    corrected.dbt("run", "--select", "taxonomy_metrics", "--vars", "protocol: paper")
    assert fetch(corrected.database, "select count(*), min(protocol), max(protocol) from taxonomy_metrics") == before
    assert before[0][1:] == ("corrected", "corrected")


def test_features_that_are_absent_are_named(corrected: Commands) -> None:
    notes = dict(fetch(corrected.database, "select feature, note from taxonomy_models where predictor = 'baseline'"))
    assert notes["generation_perplexity"] == "used"
    assert notes["huffman_code_length"] == "no values"
    assert notes["(intercept)"] == "used"


def test_metrics_have_intervals_and_are_of_representative_rows(corrected: Commands) -> None:
    rows = fetch(
        corrected.database,
        "select predictor, value, low, high, n_rows from taxonomy_metrics where measure = 'roc_auc' and category = 'all'",
    )
    assert {row[0] for row in rows} == {"baseline", "taxonomy", "tree"} | {
        row[0] for row in rows if row[0] == "searched"
    }
    (n_test,) = fetch(
        corrected.database,
        "select count(*) from intermediate.int_taxonomy__rows where split = 'test' and is_representative",
    )[0]
    for _, value, low, high, n_rows in rows:
        assert low < value < high
        assert n_rows == n_test


def test_a_saved_model_predicts_new_rows_as_the_table_does(corrected: Commands, tmp_path: Path) -> None:
    file, output = tmp_path / "model.json", tmp_path / "predicted.parquet"
    result = corrected.memtax("predict", file, "--save", "pythia@step1")
    assert "regressions of pythia@step1" in result.stdout
    corrected.memtax("predict", file, "--output", output)
    with store.reading(corrected.database) as connection:
        (differing, n) = connection.execute(
            "select count(*) filter (abs(a.probability - b.probability) > 1e-12), count(*) "
            f"from '{output}' as a join main.taxonomy_predictions as b using (sequence_id, model, revision, predictor) "
            "where a.dataset = 'sample'"
        ).fetchall()[0]
    assert differing == 0
    assert n > 300
    new = pq.read_table(corrected.database.parent / "sample.parquet").drop_columns(["memorized"]).slice(0, 5)
    pq.write_table(new, tmp_path / "new.parquet")
    lines = corrected.memtax("predict", file, tmp_path / "new.parquet").stdout.splitlines()
    assert len(lines) == 6
    pq.write_table(new.drop_columns(["max_frequency"]), tmp_path / "less.parquet")
    refused = corrected.memtax("predict", file, tmp_path / "less.parquet", check=False)
    assert refused.returncode == 1
    assert "the rows have no max_frequency" in refused.stderr
    missing = corrected.memtax("predict", tmp_path / "none.json", check=False)
    assert "does not exist" in missing.stderr


def test_the_paper_protocol_gives_the_papers_figures(
    shared_data: Path, tmp_path: Path, make_commands: Callable[[Path], Commands]
) -> None:
    commands = make_commands(tmp_path / "memtax.duckdb")
    for name in ("pile", "memories"):
        source = shared_data / PARITY / f"{name}.parquet"
        commands.memtax("ingest", "features", name, source, "--model", "pythia-12b", "--schema", "paper")
    commands.dbt("run", *EVERYTHING, "--vars", "protocol: paper")
    expected = json.loads((shared_data / PARITY / "expected.json").read_text())
    for scope, figures in {"baseline": expected["baseline"], **expected["taxonomic"]}.items():
        found = dict(
            fetch(
                commands.database,
                "select feature, standardized_coefficient from taxonomy_models where protocol = 'paper' and scope = ?",
                scope,
            )
        )
        for name, value in zip(figures["features"], figures["coef"], strict=True):
            ours = {"0_8_templates": "paper_templates_0_8", "0_8_snowclones": "paper_snowclones_0_8"}.get(name, name)
            assert found.get(ours, found.get(f"paper_{name}")) == pytest.approx(value, abs=1e-6), (scope, name)
        category = "all" if scope == "baseline" else scope
        (area,) = fetch(
            commands.database,
            "select value from taxonomy_metrics where method = 'probabilities' and split = 'test' and measure = 'pr_auc' "
            "and category = ?",
            category,
        )[0]
        assert area == pytest.approx(figures["test_pr_auc"], abs=1e-6)
    searched = fetch(
        commands.database,
        "select position, first_feature, first_quantile, second_feature, second_quantile, parts, prediction_metrics "
        "from taxonomy_search order by position",
    )
    assert [row[0] for row in searched] == list(range(810))
    for row, (name, parts) in zip(searched[330:333], expected["search"].items(), strict=True):
        assert f"{row[1]}-{row[2]}/{row[3]}-{row[4]}" == name.replace("huffman", "paper_huffman")
        for number, part in enumerate(json.loads(row[5]), 1):
            figures = parts[f"taxonomy_{number}"]
            assert part["coefficients"] == pytest.approx([*figures["coef"], figures["intercept"]], abs=1e-6)
            assert part["areas"]["test"][0] == pytest.approx(figures["test_roc_auc"], abs=1e-6)
        for who, by_category in json.loads(row[6]).items():
            recall = parts["prediction_metrics"][f"{who}_recitation_recall_"]
            assert by_category["recitation"]["recall"] == pytest.approx(recall, abs=1.5e-3)
    places = fetch(commands.database, "select place, score from taxonomy_search where place is not null order by place")
    assert [score for _, score in places] == sorted((score for _, score in places), reverse=True)
    assert not Path(f"{commands.database}.search").exists()
    methods = fetch(commands.database, "select distinct feature, method from taxonomy_divergences order by 1")
    assert [feature for feature, _ in methods] == [
        "paper_generation_perplexity",
        "paper_prompt_perplexity",
        "paper_sequence_perplexity",
        "sequence_duplicates",
    ]
    assert all("randomly paired" in method for _, method in methods)


def test_distributions_count_every_row_once(corrected: Commands) -> None:
    counted = fetch(
        corrected.database,
        "select feature, sum(n_memorized), sum(n_other), sum(share_of_memorized), bool_and(bin_low < bin_high) "
        "from memorization_distributions where duplicates_from is null group by feature order by feature",
    )
    rows = fetch(
        corrected.database,
        "select count(*) filter (memorized), count(*) filter (not memorized) from intermediate.int_taxonomy__rows",
    )[0]
    assert [row[0] for row in counted] == ["generation_perplexity", "sequence_duplicates"]
    assert all(row[1:3] == rows and row[3] == pytest.approx(1) and row[4] for row in counted)
    own = fetch(
        corrected.database,
        "select bin_low, bin_high, n_memorized + n_other from memorization_distributions "
        "where duplicates_from is null and feature = 'sequence_duplicates' and bin_low < 1",
    )
    ones = fetch(corrected.database, "select count(*) from intermediate.int_taxonomy__rows where duplicates_from = 1")[
        0
    ]
    assert own == [(0.5, 1.5, *ones)]
    found = fetch(
        corrected.database,
        "select feature, measure, low, divergence, high from taxonomy_divergences where duplicates_from is null",
    )
    assert len(found) == 4
    assert all(0 < low < value < high for _, _, low, value, high in found)


def test_a_taxonomy_of_ones_own_is_on_the_bench_and_a_wrong_one_stops_the_run(corrected: Commands) -> None:
    own = "case when is_templating then 'it''s templating' else 'other' end"
    built = ["int_taxonomy__rows", "int_taxonomy__fits", "taxonomy_predictions", "int_taxonomy__metrics"]
    built += ["taxonomy_models", "taxonomy_comparisons"]
    corrected.dbt("run", "--select", *built, "--vars", json.dumps({"taxonomy_expression": own}))
    scopes = fetch(
        corrected.database, "select distinct scope, status from taxonomy_models where predictor = 'own' order by 1"
    )
    assert scopes == [("it's templating", "fitted"), ("other", "fitted")]
    (compared,) = fetch(
        corrected.database,
        "select count(*) from taxonomy_comparisons where predictor = 'own' and category = 'all' and low is not null",
    )[0]
    assert compared > 0
    for wrong, said in (
        ("case when is_tempting then 'a' end", '"is_tempting" not found'),
        ("1) as varchar); drop table features; --", "syntax error"),
    ):
        variables = ["--vars", json.dumps({"taxonomy_expression": wrong})]
        command = corrected.dbt_command("run", "--select", "int_taxonomy__rows", *variables)
        result = subprocess.run(command, cwd=PROJECT, env=corrected.dbt_environment(), capture_output=True, text=True)
        assert result.returncode != 0
        assert "expected one SQL expression over the columns of features" in result.stdout
        assert said in result.stdout
        assert "Traceback" not in result.stdout + result.stderr
    # What was built stays.
    assert fetch(corrected.database, "select count(*) > 0 from taxonomy_models where predictor = 'own'") == [(True,)]


def test_published_counts_give_the_published_shares(
    shared_data: Path, tmp_path: Path, make_commands: Callable[[Path], Commands]
) -> None:
    """The figures count millions; a tenth of each, rounded, has the same shares to 0.01 %."""
    published = json.loads((shared_data / "published_results.json").read_text())
    commands = make_commands(tmp_path / "memtax.duckdb")
    counts = {
        ("final", size): row for size, row in published["category_counts_deduped_final"].items() if size != "columns"
    }
    counts |= {(step, "12b"): row for step, row in published["category_counts_12b_deduped_by_step"].items()}
    with store.writing(commands.database) as connection:
        for (revision, model), row in counts.items():
            first, second, third = (round(count / 10) for count in row)
            connection.execute(
                "insert into raw.feature_rows by name select 'memories' as dataset, ? as model, ? as revision, 'c' as corpus, "
                "n as sequence_id, 0 as token_offset, n as source_row, case when n < ? then 6 else 5 end as "
                "sequence_duplicates, n < ? as is_templating, true as memorized from range(?) as rows (n)",
                [model, revision, first, first + second, first + second + third],
            )
    commands.dbt("run", "--select", "+memorization_by_text_kind")
    shares = {
        (revision, model, category): 100 * share
        for revision, model, category, share in fetch(
            commands.database,
            "select revision, model, category, share_of_memorized from memorization_by_category where text_kind = 'all'",
        )
    }
    for (revision, model), row in counts.items():
        for category, count in zip(CATEGORIES, row, strict=True):
            assert shares[revision, model, category] == pytest.approx(100 * count / sum(row), abs=0.01)
    # The published last row pools seven sizes; 12B alone has other shares, and no row here mixes models.
    own = [shares["143000", "12b", category] for category in CATEGORIES]
    assert own == pytest.approx([83.71, 2.95, 13.35], abs=0.01)
    pooled = np.sum([row for (revision, _), row in counts.items() if revision == "final"], axis=0)
    assert 100 * pooled / pooled.sum() == pytest.approx([84.56, 4.10, 11.34], abs=0.01)
    assert "84.56/4.10/11.34" in published["note_on_shares"]
    assert "83.71/2.95/13.35" in published["note_on_shares"]
