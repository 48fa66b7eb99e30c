"""Two builds of one store compared: every table, every column."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import duckdb

from memtax.spark.export import built_tables
from memtax.spark.folders import SparkFolders
from tests.conftest import Commands

# What small data gains nothing by: pages about the session, and more tasks than cores.
QUICK = ["--conf", "spark.ui.enabled=false", "--conf", "spark.sql.shuffle.partitions=2"]
ON_SPARK = ["--master", "local[2]", "--conf", "spark.driver.memory=1500m", *QUICK]
Tolerance = dict[str, float]
FLOATS = {"rel_tol": 1e-9, "abs_tol": 1e-12}
# A difference of two log-probabilities may be next to nothing.
LANGUAGE_MODEL = {"rel_tol": 1e-5, "abs_tol": 1e-5}
# A sum of the log-probabilities of 32 tokens, exponentiated: of small models a number far below any absolute tolerance.
PROBABILITY = {"rel_tol": 1e-5, "abs_tol": 0.0}
PROBABILITIES = {"extraction_probability", "avg_extraction_probability"}
# What a language model computed, or is computed from that.
FROM_MODELS = {
    "feat_sequence_model__perplexity",
    "feat_sequence_model__attention",
    "feat_sequence_model__token_log_probabilities",
}
MODEL_COLUMNS = {
    "loss", "prompt_perplexity", "generation_perplexity", "sequence_perplexity", "paper_prompt_perplexity",
    "paper_generation_perplexity", "paper_sequence_perplexity", "continuation_log_probability", "sampling_log_probability",
    "reference_log_probability", "log_probability_gain", "avg_gini",
    "avg_continuation_log_probability", "avg_entropy", "paper_avg_entropy", "paper_avg_gini",
}  # fmt: skip

Tables = dict[str, tuple[list[tuple[str, str]], list[tuple]]]
"""By table: (column, type) of each column, and the rows."""


def read_tables(database: Path) -> Tables:
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
            found[name] = (columns, connection.execute(f"from main.{name} order by {order}").fetchall())
        return found


def logged_in(folder: Path) -> list[str]:
    """Arguments of a build that writes Spark's event log to a folder, which is made."""
    folder.mkdir()
    settings = {"enabled": "true", "dir": folder.as_uri(), "compress": "false"}
    return [part for key, value in settings.items() for part in ("--conf", f"spark.eventLog.{key}={value}")]


def column(tables: Tables, table: str, name: str) -> list[Any]:
    """All values of one column."""
    columns, rows = tables[table]
    place = [column for column, _ in columns].index(name)
    return [row[place] for row in rows]


def expected_on_spark(on_duckdb: Tables) -> set[str]:
    """The tables of a store that a build on Spark makes: all but what the taxonomy's training makes, or reads from it."""
    return {name for name in on_duckdb if not name.startswith("taxonomy") and name != "memorization_distributions"}


def require_equal_on_spark(commands: Commands, *arguments: str) -> None:
    """Build a store on Spark that was built on DuckDB: each of its marts is built there, and is equal."""
    on_duckdb = read_tables(commands.database)
    commands.memtax("spark", "build", *ON_SPARK, *arguments)
    require_export_equal(commands, on_duckdb)


def require_export_equal(commands: Commands, on_duckdb: Tables) -> None:
    """What was built on Spark comes back to the store, each mart of DuckDB's among it, and is equal."""
    commands.memtax("spark", "export")
    # A table that did not come back would be compared with itself.
    built = built_tables(SparkFolders(commands.database.with_name(f"{commands.database.name}.spark")))
    assert set(built) == expected_on_spark(on_duckdb)
    require_equal(on_duckdb, read_tables(commands.database))


def require_equal(expected: Tables, found: Tables) -> None:
    """Every table of DuckDB's is on Spark as it is there."""
    for table, (columns, rows) in expected.items():
        assert found[table][0] == columns, table
        assert len(found[table][1]) == len(rows), table
        for one, other in zip(rows, found[table][1], strict=True):
            for (column, _), left, right in zip(columns, one, other, strict=True):
                if column in PROBABILITIES:
                    tolerance = PROBABILITY
                else:
                    tolerance = LANGUAGE_MODEL if column in MODEL_COLUMNS or table in FROM_MODELS else FLOATS
                assert _equal(left, right, tolerance), f"{table}.{column}: {left!r} on DuckDB, {right!r} on Spark"


def _equal(left: object, right: object, tolerance: Tolerance) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, **tolerance) or (math.isnan(left) and math.isnan(right))
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(_equal(*pair, tolerance) for pair in zip(left, right, strict=True))
    return left == right
