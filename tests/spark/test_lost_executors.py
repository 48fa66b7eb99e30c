"""Every feature, by two worker processes of which one is killed in the scan of a window that occurs a million times."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from memtax.spark.events import describe, read_stages
from tests.conftest import Commands
from tests.corpus.helpers import word_tokenizer
from tests.dbt.conftest import evaluate
from tests.spark.corpora import fill_one, land_scores
from tests.spark.parity import QUICK, Tables, column, logged_in, read_tables, require_export_equal
from tests.spark.processes import build_and_kill
from tests.udf import tiny_embedders

SEQUENCES = 1_020_000
PROMPT = 11
CONTINUATION = 21
MODELS = ["+features", "+duplicate_occurrences", "+token_frequencies"]
EXECUTOR = "CoarseGrainedExecutorBackend"
# Of a session of Spark and an executor of it, which share a machine.
MEMORY = ["--conf", "spark.driver.memory=1g", "--conf", "spark.executor.memory=1g"]

pytestmark = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="/proc tells which executor scans")


class Store(NamedTuple):
    """A store that was built on DuckDB, and the dbt arguments for it."""

    commands: Commands
    on_duckdb: Tables
    arguments: list[str]


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, make_commands: Callable[[Path], Commands], tiny_model: Path
) -> Store:
    """A random corpus with text and a language model, and a million sequences that have nearly all one continuation."""
    folder = tmp_path_factory.mktemp("lost")
    commands = make_commands(folder / "memtax.duckdb")
    random = np.random.default_rng(1)
    tokenizer = word_tokenizer(folder / "tokenizer.json", 200)
    fill_one(commands, random, PROMPT + CONTINUATION, "--tokenizer", tokenizer)
    rows = random.integers(0, 200, (SEQUENCES, PROMPT + CONTINUATION), dtype=np.uint16)
    rows[:, PROMPT:] = np.arange(CONTINUATION)
    rows[::100, PROMPT:] = np.arange(32, 32 + CONTINUATION)
    rows[:2, PROMPT:] = np.arange(64, 64 + CONTINUATION)
    rows.tofile(folder / "skewed.bin")
    commands.memtax(
        *("ingest", "corpus", "skewed", folder / "skewed.bin", "--format", "bin", "--in-place"),
        *("--sequence-length", PROMPT + CONTINUATION),
    )
    chosen = [0, 100, *sorted(random.choice(SEQUENCES, 38, replace=False).tolist())]
    windows = {number: rows[number].tolist() for number in chosen}
    places = [(number, 0) for number in windows]
    evaluate(commands.database, "some of skewed", "skewed", places, windows, PROMPT + CONTINUATION)
    land_scores(commands)
    commands.memtax("ingest", "model", "tiny", tiny_model, "--corpus", "lying")
    settings = {
        "prompt_length": PROMPT,
        "continuation_length": CONTINUATION,
        "embed_with": str(tiny_embedders.save(folder / "embedder")),
        "attention": True,
    }
    arguments = ["--select", *MODELS, "--vars", json.dumps(settings)]
    commands.dbt("run", *arguments)
    return Store(commands, read_tables(commands.database), arguments)


def test_features_are_equal_though_an_executor_is_killed_and_no_task_gets_all_rows(store: Store, tmp_path: Path):
    commands, on_duckdb, arguments = store
    assert max(column(on_duckdb, "feat_sequence__duplicates", "sequence_duplicates")) >= 1_000_000
    for name in ("is_repeating", "nl_score", "loss", "avg_entropy", "semantic_matches_0_8"):
        assert set(column(on_duckdb, "features", name)) - {None}, f"{name} has values to compare"
    log = tmp_path / "events"
    master = ["--master", "local-cluster[2,1,1024]", *MEMORY, *QUICK, *logged_in(log)]
    environment = commands.environment | {"SPARK_WORKER_DIR": str(tmp_path / "workers")}
    build_and_kill([*master, "--", *arguments], environment, EXECUTOR, "skewed.bin")
    require_export_equal(commands, on_duckdb)

    stages = read_stages(log)
    for stage in stages:
        print(describe(stage))
    # Of a million rows with one window, each task of the scan sends on what it has added up.
    assert max(max(stage.shuffle_rows, default=0) for stage in stages) < SEQUENCES / 100
    assert sum(stage.lost for stage in stages) > 0, "tasks were lost with the executor, and ran again"
