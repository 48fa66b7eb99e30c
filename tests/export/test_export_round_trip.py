"""What is exported is loaded by `datasets` as it was: any value of any type that the marts have, warnings made errors."""

from __future__ import annotations

import math
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtax.export.card import card, hub_features
from memtax.export.manifest import verify, write_manifest
from memtax.export.selection import ExportTable
from memtax.export.shards import write_table
from tests.conftest import Commands

pytestmark = pytest.mark.slow

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("whole", pa.int64()),
        ("measure", pa.float64()),
        ("flag", pa.bool_()),
        ("text", pa.string()),
        ("tokens", pa.list_(pa.uint32())),
        ("heads", pa.list_(pa.list_(pa.float64()))),
        ("vector", pa.list_(pa.float32(), 3)),
        ("pair", pa.struct([("a", pa.int32()), ("b", pa.string())])),
    ]
)
ROW = st.fixed_dictionaries(
    {
        "whole": st.none() | INT64,
        "measure": st.none() | st.floats(),
        "flag": st.none() | st.booleans(),
        "text": st.none() | TEXT,
        "tokens": st.none() | st.lists(st.integers(0, 2**32 - 1), max_size=5),
        "heads": st.none() | st.lists(st.lists(st.floats(), max_size=3), max_size=3),
        "vector": st.none() | st.lists(st.floats(width=32), min_size=3, max_size=3),
        "pair": st.fixed_dictionaries({"a": st.none() | st.integers(-5, 5), "b": st.none() | TEXT}),
    }
)


def same(a: Any, b: Any) -> bool:
    """Equality by which NaN equals itself, at any depth."""
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROW, max_size=8))
def test_any_row_comes_back_as_it_was(rows: list[dict[str, Any]]) -> None:
    rows = [{"id": index, **row} for index, row in enumerate(rows)]
    with tempfile.TemporaryDirectory() as name, duckdb.connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = Path(name) / "out"
        connection.register("rows", pa.Table.from_pylist(rows, SCHEMA))
        table = ExportTable("odd", "train", "select * from rows", ("id",), "Odd values.")
        written = write_table(connection, table, folder, 10**9)
        text = card([written], title="odd", license_id="unknown", facts={}, declared_vars={}, note="", sources=[])
        (folder / "README.md").write_text(text, encoding="utf-8")
        write_manifest(folder, [written], {})
        verify(folder)
        streamed = datasets.load_dataset(str(folder), "odd", split="train", streaming=True)
        assert same(list(streamed), rows)
        assert streamed.features == datasets.Features.from_arrow_schema(SCHEMA)
        if not rows:  # a split without rows is nothing that datasets can load, other than as a stream
            return
        loaded = datasets.load_dataset(str(folder), "odd", split="train", cache_dir=f"{name}/cache")
        assert same(loaded.to_list(), rows)
        assert streamed.features == loaded.features


def test_the_card_lists_columns_as_datasets_itself_does() -> None:
    schema = SCHEMA.append(pa.field("structs", pa.list_(pa.struct([("x", pa.int64())])))).append(
        pa.field("when", pa.timestamp("us"))
    )
    assert hub_features(schema) == datasets.Features.from_arrow_schema(schema)._to_yaml_list()


@pytest.mark.parametrize("schema", ["memtax", "paper"])
def test_the_demo_loads_without_warnings(
    demo: Commands, tmp_path: Path, schema: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    demo.memtax("export", folder, "--schema", schema, "--where", "sequence_id < 20")
    datasets.disable_progress_bars()
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for config in datasets.get_dataset_config_names(str(folder)):
            loaded = datasets.load_dataset(str(folder), config, cache_dir=str(tmp_path / "cache"))
            streamed = datasets.load_dataset(str(folder), config, streaming=True)
            for split, rows in loaded.items():
                files = sorted((folder / config).glob(f"{split}-*.parquet"))
                assert same(rows.to_list(), pq.read_table(files).to_pylist())
                assert same(list(streamed[split]), pq.read_table(files).to_pylist())
    output = capfd.readouterr()
    assert output.out + output.err == ""


def test_windows_come_back_into_the_same_marts(demo: Commands, commands: Commands, tmp_path: Path) -> None:
    """Export, load with `datasets`, write what was loaded, ingest: the same windows in dim_evaluated_sequences."""
    folder = tmp_path / "out"
    demo.memtax("export", folder, "--tables", "dim_evaluated_sequences,dataset_members")
    loaded = datasets.load_dataset(str(folder), "dim_evaluated_sequences", split="train", cache_dir=str(tmp_path / "c"))
    loaded.to_parquet(str(tmp_path / "again.parquet"))
    commands.memtax("ingest", "sequences", "demo-sample", tmp_path / "again.parquet", "--corpus", "demo")
    commands.dbt("run", "--select", "+dim_evaluated_sequences", "+dataset_members")
    query = "select corpus, sequence_id, token_offset, tokens from dim_evaluated_sequences order by all"
    assert (
        commands.memtax("query", query, "--format", "csv").stdout
        == demo.memtax("query", query, "--format", "csv").stdout
    )
