"""The same store built on DuckDB and on Spark: every mart is equal, and comes back, where people use it as if built there."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest

from memtax import store
from memtax.spark.events import read_events, read_stages
from memtax.spark.export import built_tables
from memtax.spark.folders import SparkFolders
from tests.conftest import Commands
from tests.corpus.helpers import word_tokenizer, write_bin
from tests.explorer.process import address_of, explored
from tests.spark.parity import ON_SPARK, Tables, expected_on_spark, logged_in, read_tables, require_equal
from tests.spark.plans import plans_with
from tests.udf import tiny_embedders

NOT_TRAINING = ["--exclude", "path:models/marts/taxonomy+"]
LENGTH = 96
LANDED = [60, 30]
LYING = 97
# Spark takes a backslash in a text for the start of an escape, this one for a backspace.
MODEL = "tiny's \\b"


class Built(NamedTuple):
    """A store that was built on DuckDB, then on Spark, whose marts then came back."""

    commands: Commands
    on_duckdb: Tables
    exported: str
    log: Path
    vars: str


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, make_commands: Callable[[Path], Commands], tiny_model: Path
) -> Built:
    """A corpus that was landed, with text, a model and embeddings, and one that is read where it lies."""
    folder = tmp_path_factory.mktemp("parity on Spark")
    commands = make_commands(folder / "memtax.duckdb")
    random = np.random.default_rng(11)
    rows = random.integers(0, 200, (sum(LANDED), LENGTH))
    rows[40:50] = rows[0]
    rows[41:45, 3] = random.integers(2, 200, 4)  # prompts that are nearly those of others
    rows[60:64, 32:64] = np.arange(32)
    landed = write_bin(folder / "landed.bin", rows[: LANDED[0]].tolist())
    shard = write_bin(folder / "shard.bin", rows[LANDED[0] :].tolist())
    lying = write_bin(folder / "lying.bin", np.vstack([rows, rows[:7]]).tolist())
    length = ["--sequence-length", LENGTH]
    tokenizer = word_tokenizer(folder / "tokenizer.json", 200)
    commands.memtax("ingest", "corpus", "landed", landed, *length, "--tokenizer", tokenizer)
    commands.memtax("ingest", "corpus", "landed", shard, *length, "--append")
    commands.memtax("ingest", "corpus", "lying", lying, *length, "--in-place")
    commands.memtax("sample", "some", "--corpus", "landed", "--n", 70, "--seed", 1)
    commands.memtax("sample", "others", "--corpus", "lying", "--n", 20, "--seed", 2, "--token-offset", 8)
    commands.memtax("ingest", "model", MODEL, tiny_model, "--corpus", "landed")
    settings = json.dumps(
        {
            "embed_with": str(tiny_embedders.save(folder / "embedder")),
            # Random weights find all texts alike: these lie in the middle of what they give.
            "similarity_thresholds": [0.999, 0.9995],
            "attention": True,
            "token_log_probabilities": True,
            "prompt_lengths": [8],
            "generate_after_miss": True,
            "reference_model": MODEL,
        }
    )
    commands.dbt("run", *NOT_TRAINING, "--vars", settings)
    on_duckdb = read_tables(commands.database)
    log = folder / "events"
    commands.memtax("spark", "build", *ON_SPARK, *logged_in(log), "--", "--vars", settings)
    return Built(commands, on_duckdb, commands.memtax("spark", "export").stdout, log, settings)


def test_every_mart_is_equal_and_comes_back(built: Built):
    features = built.on_duckdb["features"]
    assert f"features: {len(features[1])} rows" in built.exported
    columns = [name for name, _ in features[0]]
    for name in ("semantic_matches_0_8", "textual_matches_0_9", "generation_perplexity", "nl_score"):
        values = {row[columns.index(name)] for row in features[1]}
        assert len(values - {None}) > 1, f"{name} has values to compare"
    require_equal(built.on_duckdb, read_tables(built.commands.database))
    on_spark = built_tables(_folders(built.commands))
    assert set(on_spark) == expected_on_spark(built.on_duckdb)


def test_one_scan_of_a_shard_counts_windows_of_every_length(built: Built):
    plans = plans_with(built.log, "count_windows_and_tokens")
    assert len(plans) == 3, "one query to a shard: two were landed, one lies in its file"
    scanned = []
    for plan in plans:
        counting = [node for node in plan if "count_windows_and_tokens" in node.text and "ArrowEval" in node.name]
        assert len(counting) == 1, [node.text for node in counting]
        sources = [node for node in plan if "corpus_sequences" in node.text or node.name == "Range"]
        assert len(sources) == 1, [node.text for node in sources]
        scanned.append(sources[0].rows)
    assert sorted(scanned) == sorted([*LANDED, LYING]), "each sequence is read once"


def test_the_windows_of_a_corpus_go_out_as_one_file_for_each_length(built: Built):
    environments = [event for event in read_events(built.log) if event["Event"] == "SparkListenerEnvironmentUpdate"]
    # What was added to the session, which Spark sends to an executor once; two shards of a corpus share its windows.
    sent = [path for path in environments[-1]["Classpath Entries"] if path.endswith(".memtaxq")]
    assert len(sent) == 2 * 2, "prompts and continuations, and whole windows, of two corpora"


def test_query_report_explore_export_and_the_taxonomy_work_on_what_came_back_alone(
    built: Built, tmp_path: Path, make_commands: Callable[[Path], Commands]
):
    commands = make_commands(Path(shutil.copy(built.commands.database, tmp_path / "memtax.duckdb")))
    with store.writing(commands.database) as connection:
        connection.execute("drop schema intermediate cascade")
        connection.execute("drop schema staging cascade")
    n_rows = len(built.on_duckdb["features"][1])
    counts = "select count(*) as n, count(semantic_matches_0_8) as embedded from features"
    assert commands.memtax("query", counts, "--format", "csv").stdout.split() == ["n,embedded", f"{n_rows},{n_rows}"]
    commands.memtax("report", tmp_path / "report.html")
    assert "What was found" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with explored(commands.database, "--port", "0") as process:
        page = urllib.request.urlopen(address_of(process), timeout=60).read().decode()
    assert "tiny" in page
    commands.memtax("export", tmp_path / "export")
    shards = list((tmp_path / "export" / "features").rglob("*.parquet"))
    assert sum(pq.read_metadata(shard).num_rows for shard in shards) == n_rows
    views = ["path:models/staging", "int_evaluated_sequences"]
    commands.dbt("run", "--select", *views, "path:models/marts/taxonomy+", "--vars", built.vars)
    commands.memtax("query", "select count(*) from taxonomy_metrics")


def test_a_second_build_computes_nothing_again(built: Built):
    models = ("int_sequence__token_runs", "int_shard_window__counts")
    output = built.commands.memtax("spark", "build", *ON_SPARK, "--", "--select", *models, "--vars", built.vars).stdout
    assert "landed " not in output
    warehouse = _folders(built.commands).warehouse / "intermediate.db"
    for model in models:
        invocations = {chunk.name.rsplit("-", 1)[0] for chunk in (warehouse / model).glob("chunk=*")}
        assert len(invocations) == 1, f"{model} was computed by {len(invocations)} builds"


def test_many_windows_are_dealt_out_to_chunks_and_no_task_gets_all(built: Built, tmp_path: Path):
    log = tmp_path / "events"
    eight = [
        "--conf",
        "spark.sql.shuffle.partitions=8",
        "--conf",
        "spark.sql.adaptive.coalescePartitions.enabled=false",
    ]
    settings = json.dumps(json.loads(built.vars) | {"chunk_rows": 5, "spark_chunk_rows": 5})
    arguments = ["--full-refresh", "--select", "int_sequence__token_runs", "--vars", settings]
    built.commands.memtax("spark", "build", *ON_SPARK, *eight, *logged_in(log), "--", *arguments)
    n_windows = len(built.on_duckdb["dim_evaluated_sequences"][1])
    table = _folders(built.commands).warehouse / "intermediate.db" / "int_sequence__token_runs"
    sizes = [
        sum(pq.read_metadata(file).num_rows for file in chunk.glob("*.parquet")) for chunk in table.glob("chunk=*")
    ]
    assert sum(sizes) == n_windows and len(sizes) >= n_windows / 5 / 2, sizes
    assert max(max(stage.shuffle_rows, default=0) for stage in read_stages(log)) < n_windows / 2


def _folders(commands: Commands) -> SparkFolders:
    return SparkFolders(commands.database.with_name(f"{commands.database.name}.spark"))
