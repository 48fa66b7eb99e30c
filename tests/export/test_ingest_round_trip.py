"""Out and in again: what is exported and loaded by `datasets` lands as the same rows, whatever the values."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memtax import store
from memtax.datasets.feature_schemas import SCHEMAS, VALUES
from memtax.datasets.feature_tables import land_features
from memtax.datasets.published import land_published
from memtax.datasets.published_source import ScoreColumn
from memtax.errors import SourceError
from memtax.export.card import card
from memtax.export.manifest import write_manifest
from memtax.export.selection import ExportTable
from memtax.export.shards import write_table
from tests.conftest import Commands
from tests.export.test_export_round_trip import same

pytestmark = pytest.mark.slow

VIEWS = ("stg_feature_rows", "stg_evaluated_sequences", "stg_dataset_members", "stg_published_scores")
NAME = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=8)
KEYS = st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1))
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "bigint": st.sampled_from([-(2**63), 2**63 - 1, 0]) | st.integers(-(2**63), 2**63 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "double": st.floats(),
    "boolean": st.booleans(),
}
ARROW = {"bigint": pa.int64(), "integer": pa.int32(), "double": pa.float64(), "boolean": pa.bool_()}
FEATURE_SCHEMA = pa.schema(
    [("sequence_id", pa.int64()), ("token_offset", pa.int32()), *((name, ARROW[kind]) for name, kind in VALUES.items())]
)
TOKEN = st.sampled_from([0, 2**32 - 1]) | st.integers(0, 2**32 - 1)
SCORE = st.none() | st.floats(0, 1)
# Others are refused.
COUNT = st.none() | st.sampled_from([0, 2**63 - 1]) | st.integers(0, 2**63 - 1)
FEATURES = st.fixed_dictionaries(
    {name: st.none() | KINDS[kind] for name, kind in VALUES.items()}
    | {name: COUNT for name in VALUES if name.endswith("_duplicates")}
    | {"memorization_score": SCORE}
)
# Of the two flags that make a sequence templating, one in the plain columns and one in the paper's alone.
FLAGS_OF_BOTH = dict.fromkeys(VALUES) | {"is_repeating": False, "paper_is_incrementing": False}
PROFILE = settings(max_examples=12, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def views(demo: Commands) -> list[str]:
    """The statements that make dbt's staging views, which are all that stands between landed rows and the marts."""
    with store.reading(demo.database) as connection:
        return [
            sql
            for (sql,) in connection.execute(
                "select sql from duckdb_views() where schema_name = 'staging' and list_contains(?, view_name)",
                [list(VIEWS)],
            ).fetchall()
        ]


@contextmanager
def fresh_store(folder: Path, views: list[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    # Views name the database, so that it has to be called as the demo's.
    folder.mkdir()
    with store.writing(folder / "memtax.duckdb") as connection:
        connection.execute("create schema staging")
        for sql in views:
            connection.execute(sql)
        yield connection


def through_datasets(connection: duckdb.DuckDBPyConnection, query: str, order: tuple[str, ...], folder: Path) -> Path:
    """Export a query, load it with `datasets`, and write what was loaded: the path of that."""
    written = write_table(connection, ExportTable("t", "train", query, order, ""), folder / "out", 10**9)
    text = card([written], title="t", license_id="unknown", facts={}, declared_vars={}, note="", sources=[])
    (folder / "out" / "README.md").write_text(text, encoding="utf-8")
    write_manifest(folder / "out", [written], {})
    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(folder / "out"), "t", split="train", cache_dir=str(folder / "cache"))
    loaded.to_parquet(str(folder / "again.parquet"))
    return folder / "again.parquet"


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    return connection.execute(sql).to_arrow_table().to_pylist()


@PROFILE
@given(
    rows=st.dictionaries(KEYS, FEATURES, min_size=1, max_size=6),
    dataset=NAME,
    model=NAME.filter(lambda name: "@" not in name),
)
@example(rows={(0, 0): FLAGS_OF_BOTH}, dataset="d", model="m")
def test_features_come_back(views: list[str], rows: dict, dataset: str, model: str) -> None:
    table = pa.Table.from_pylist(
        [{"sequence_id": i, "token_offset": offset, **values} for (i, offset), values in rows.items()], FEATURE_SCHEMA
    )
    everything = "from staging.stg_feature_rows order by sequence_id, token_offset"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def land(connection: duckdb.DuckDBPyConnection, path: Path) -> list[dict[str, Any]]:
            land_features(
                connection, dataset, [path], model, "main", SCHEMAS["memtax"], prompt_length=32, corpus="c'\""
            )
            return rows_of(connection, everything)

        pq.write_table(table, folder / "made.parquet")
        with fresh_store(folder / "a", views) as connection:
            before = land(connection, folder / "made.parquet")
            key = ("dataset", "corpus", "sequence_id", "token_offset", "model", "revision")
            again = through_datasets(connection, "select * from staging.stg_feature_rows", key, folder)
        with fresh_store(folder / "b", views) as connection:
            after = land(connection, again)
    assert len(before) == len(rows)
    for row in before:
        row["source_row"] = sorted(rows).index((row["sequence_id"], row["token_offset"]))
    assert same(after, before)


@PROFILE
@given(
    windows=st.dictionaries(
        KEYS, st.tuples(st.lists(TOKEN, min_size=4, max_size=4), SCORE, SCORE), min_size=1, max_size=6
    )
)
def test_windows_and_scores_come_back(views: list[str], windows: dict) -> None:
    scores = [ScoreColumn("a b", "small"), ScoreColumn('"', "large", "step'1")]
    columns = {
        "sequence_id": pa.array([key[0] for key in windows], pa.int64()),
        "token_offset": pa.array([key[1] for key in windows], pa.int32()),
        "tokens": pa.array([window[0] for window in windows.values()], pa.list_(pa.uint32())),
        "a b": pa.array([window[1] for window in windows.values()], pa.float64()),
        '"': pa.array([window[2] for window in windows.values()], pa.float64()),
    }

    def contents(connection: duckdb.DuckDBPyConnection) -> list[list[dict[str, Any]]]:
        return [rows_of(connection, f"from staging.{view} order by all") for view in VIEWS[1:]]

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pq.write_table(pa.table(columns), folder / "made.parquet")
        with fresh_store(folder / "a", views) as connection:
            land_published(connection, "d", [folder / "made.parquet"], "c", 4, scores=scores)
            before = contents(connection)
            # As dim_evaluated_sequences and fct_memorization have them, one column to a model.
            again = through_datasets(
                connection,
                "select windows.*, max(published_memorization_score) filter (where model = 'small') as small, "
                "max(published_memorization_score) filter (where model = 'large') as large "
                "from staging.stg_evaluated_sequences as windows "
                "left join staging.stg_published_scores using (corpus, sequence_id, token_offset) group by all",
                ("corpus", "sequence_id", "token_offset"),
                folder,
            )
        with fresh_store(folder / "b", views) as connection:
            scores = [ScoreColumn("small", "small"), ScoreColumn("large", "large", "step'1")]
            land_published(connection, "d", [again], "c", 4, scores=scores)
            assert contents(connection) == before
    assert len(before[0]) == len(windows)
    assert {(row["sequence_id"], row["token_offset"]): row["tokens"] for row in before[0]} == {
        key: window[0] for key, window in windows.items()
    }


def test_nothing_is_exported_and_nothing_lands(views: list[str], tmp_path: Path) -> None:
    """A table without rows makes a file without rows; landing it is refused, since it is mostly a mistake."""
    with fresh_store(tmp_path / "a", views) as connection:
        written = write_table(
            connection,
            ExportTable("t", "train", "from staging.stg_feature_rows", ("sequence_id",), ""),
            tmp_path,
            10**9,
        )
        assert written.n_rows == 0
        with pytest.raises(SourceError, match="holds no rows"):
            land_features(
                connection,
                "d",
                [tmp_path / written.files[0]],
                "m",
                "main",
                SCHEMAS["memtax"],
                prompt_length=32,
            )
