"""The same store built on DuckDB and on Spark: every mart is equal, and comes back."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from memtax.spark.export import built_tables
from memtax.spark.folders import SparkFolders
from tests.conftest import Commands

LANGUAGE_MODEL = 1e-5
FLOATS = 1e-9
NOT_TRAINING = ["--exclude", "path:models/marts/taxonomy+"]
# What a language model computed, or is computed from that.
FROM_MODELS = {
    "feat_sequence_model__perplexity",
    "feat_sequence_model__attention",
    "feat_sequence_model__token_log_probabilities",
}
MODEL_COLUMNS = {
    "loss", "prompt_perplexity", "generation_perplexity", "sequence_perplexity", "paper_prompt_perplexity",
    "paper_generation_perplexity", "paper_sequence_perplexity", "continuation_log_probability", "sampling_log_probability",
    "extraction_probability", "reference_log_probability", "log_probability_gain", "avg_entropy", "avg_gini",
    "avg_continuation_log_probability", "avg_extraction_probability",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(
    tmp_path_factory: pytest.TempPathFactory, make_commands: Callable[[Path], Commands], tiny_model: Path
) -> Commands:
    """A corpus that was landed, with text and a model, and one that is read where it lies; built on DuckDB."""
    from tests.corpus.helpers import word_tokenizer, write_bin

    folder = tmp_path_factory.mktemp("parity")
    commands = make_commands(folder / "memtax.duckdb")
    random = np.random.default_rng(11)
    rows = random.integers(0, 200, (90, 96))
    rows[40:50] = rows[0]
    rows[60:64, 32:64] = np.arange(32)
    landed = write_bin(folder / "landed.bin", rows[:60].tolist())
    shard = write_bin(folder / "shard.bin", rows[60:].tolist())
    tokenizer = word_tokenizer(folder / "tokenizer.json", 200)
    length = ["--sequence-length", 96]
    commands.memtax("ingest", "corpus", "landed", landed, *length, "--tokenizer", tokenizer)
    commands.memtax("ingest", "corpus", "landed", shard, *length, "--append")
    lying = write_bin(folder / "lying.bin", np.vstack([rows, rows[:7]]).tolist())
    commands.memtax("ingest", "corpus", "lying", lying, *length, "--in-place")
    commands.memtax("sample", "some", "--corpus", "landed", "--n", 50, "--seed", 1)
    commands.memtax("sample", "others", "--corpus", "lying", "--n", 20, "--seed", 2, "--token-offset", 8)
    commands.memtax("ingest", "model", "tiny", tiny_model, "--corpus", "landed")
    commands.dbt("run", *NOT_TRAINING, "--vars", VARS)
    return commands


VARS = (
    '{embed_with: "", attention: true, token_log_probabilities: true, prompt_lengths: [8], generate_after_miss: true}'
)


def test_every_mart_is_equal_and_comes_back(store: Commands):
    before = _tables(store.database)
    store.memtax("spark", "build", "--master", "local[2]", "--conf", "spark.driver.memory=1500m", "--", "--vars", VARS)
    built = built_tables(SparkFolders(store.database.with_name(f"{store.database.name}.spark")))
    assert set(built) == {name for name in before if not name.startswith("taxonomy")}
    exported = store.memtax("spark", "export").stdout
    assert f"features: {len(before['features'][1])} rows" in exported
    after = _tables(store.database)
    assert before["features"][1], "the store has rows to compare"
    for name, (columns, rows) in before.items():
        assert after[name][0] == columns, name
        _require_equal(name, [column for column, _ in columns], rows, after[name][1])


def test_a_second_build_computes_nothing_again(store: Commands):
    output = store.memtax(
        "spark", "build", "--master", "local[2]", "--conf", "spark.driver.memory=1500m", "--",
        "--select", "int_sequence__token_runs", "int_shard_window__counts", "--vars", VARS,
    ).stdout  # fmt: skip
    assert "landed " not in output
    warehouse = store.database.with_name(f"{store.database.name}.spark") / "warehouse" / "intermediate.db"
    for model in ("int_sequence__token_runs", "int_shard_window__counts"):
        invocations = {chunk.name.rsplit("-", 1)[0] for chunk in (warehouse / model).glob("chunk=*")}
        assert len(invocations) == 1, f"{model} was computed by {len(invocations)} builds"


def _tables(database: Path) -> dict[str, tuple[list[tuple[str, str]], list[tuple]]]:
    """Columns and rows of every mart; rows by their values, so that they can be matched."""
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'main' order by 1"
        ).fetchall()
        found = {}
        for (name,) in names:
            columns = [(column, kind) for column, kind, *_ in connection.execute(f"describe main.{name}").fetchall()]
            # Exact values first, so that one that differs in its last bits decides nothing.
            exact_first = sorted(columns, key=lambda column: column[1].startswith(("DOUBLE", "FLOAT")))
            order = ", ".join(column for column, _ in exact_first)
            rows = connection.execute(f"from main.{name} order by {order}").fetchall()
            found[name] = (columns, rows)
        return found


def _require_equal(table: str, columns: list[str], expected: list[tuple], found: list[tuple]) -> None:
    assert len(found) == len(expected), table
    for one, other in zip(expected, found, strict=True):
        for column, left, right in zip(columns, one, other, strict=True):
            tolerance = LANGUAGE_MODEL if column in MODEL_COLUMNS or table in FROM_MODELS else FLOATS
            assert _equal(left, right, tolerance), f"{table}.{column}: {left!r} on DuckDB, {right!r} on Spark"


def _equal(left: object, right: object, tolerance: float) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=tolerance, abs_tol=tolerance) or (
            math.isnan(left) and math.isnan(right)
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_equal(*pair, tolerance) for pair in zip(left, right, strict=True))
    return left == right
