"""What is landed, scanned in place or read by id equals what was written, for any shape, type and split into parts."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtax import store
from memtax.corpus import mapped
from memtax.corpus.in_place import attach
from memtax.corpus.ingest import ingest_corpus
from memtax.corpus.reader import iter_windows, read_sequences
from memtax.corpus.source import SourceOptions
from tests.corpus.helpers import landed, numbered, scanned, split, write_bin, write_mmap

LIMITS = {"uint8": 255, "int8": 127, "int16": 2**15 - 1, "uint16": 2**16 - 1, "int32": 2**31 - 1, "uint32": 2**32 - 1,
          "int64": 2**32 - 1, "uint64": 2**32 - 1}  # fmt: skip
quick = settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """One store in memory for all examples, each in a transaction that is rolled back: files would be slow."""
    connection = duckdb.connect()
    connection.execute(files("memtax").joinpath("raw_schema.sql").read_text(encoding="utf-8"))
    yield connection
    connection.close()


@contextmanager
def rolled_back(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    connection.execute("begin")
    try:
        yield connection
    finally:
        connection.execute("rollback")


def tokens_of(dtype: str) -> st.SearchStrategy[int]:
    return st.one_of(st.integers(0, LIMITS[dtype]), st.sampled_from([0, 1, LIMITS[dtype]]))


@st.composite
def rectangles(draw: st.DrawFn, dtype: str) -> list[list[int]]:
    length = draw(st.integers(1, 9))
    return draw(st.lists(st.lists(tokens_of(dtype), min_size=length, max_size=length), min_size=1, max_size=12))


@st.composite
def ragged(draw: st.DrawFn, dtype: str) -> list[list[int]]:
    rows = draw(st.lists(st.lists(tokens_of(dtype), max_size=9), min_size=1, max_size=12))
    return rows if any(rows) else [*rows, [draw(tokens_of(dtype))]]


def check(
    memory: duckdb.DuckDBPyConnection, paths: list[Path], rows: list[list[int]], *, in_place: bool, **options: object
) -> None:
    """Land, and register in place where that is possible; compare all there is to compare."""
    expected = numbered(rows)
    with rolled_back(memory) as connection:
        result = ingest_corpus(connection, "copy", paths, options=SourceOptions(**options))
        assert (result.shard.n_sequences, result.shard.n_tokens) == (len(rows), sum(map(len, rows)))
        assert landed(connection, "copy") == expected
        corpora = ["copy"]
        if in_place:
            ingest_corpus(connection, "there", paths, options=SourceOptions(**options), in_place=True)
            attach(connection)
            assert scanned(connection, "there") == expected
            corpora.append("there")
        for corpus in corpora:
            check_reads(connection, corpus, expected)


def check_reads(connection: duckdb.DuckDBPyConnection, corpus: str, expected: dict[int, list[int]]) -> None:
    found = read_sequences(connection, corpus, list(expected))
    assert {key: value.tolist() for key, value in found.items()} == expected
    ids = np.array([-5, *expected, 10**9])
    for length, offset in ((1, 0), (3, 2)):
        windows = {}
        for rows, tokens in iter_windows(connection, corpus, ids, np.full(len(ids), offset), length):
            windows |= dict(zip(ids[rows].tolist(), tokens.tolist(), strict=True))
        fits = {key: row for key, row in expected.items() if len(row) >= offset + length}
        assert windows == {key: row[offset : offset + length] for key, row in fits.items()}


@pytest.fixture(params=[mapped.BATCH_BYTES, 24], ids=["one batch", "many batches"])
def batch_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "BATCH_BYTES", request.param)


@pytest.mark.parametrize("dtype", ["uint16", "uint32"])
@quick
@given(data=st.data())
def test_raw_bin_in_any_parts(
    memory: duckdb.DuckDBPyConnection, batch_bytes: None, dtype: str, data: st.DataObject
) -> None:
    rows = data.draw(rectangles(dtype))
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = write_bin(folder / "tokens.bin", rows, dtype)
        size = np.dtype(dtype).itemsize
        total = path.stat().st_size // size
        places = data.draw(st.lists(st.integers(1, total - 1), max_size=4, unique=True)) if total > 1 else []
        parts = split(path, [place * size for place in sorted(places)])
        check(memory, parts, rows, in_place=True, dtype=dtype, sequence_length=len(rows[0]))


@pytest.mark.parametrize("dtype", ["uint16", "int32", "uint8", "int64"])
@quick
@given(data=st.data())
def test_mmap_pair_in_any_parts(
    memory: duckdb.DuckDBPyConnection, batch_bytes: None, dtype: str, data: st.DataObject
) -> None:
    rows = data.draw(st.one_of(ragged(dtype), rectangles(dtype)))
    with TemporaryDirectory() as name:
        folder = Path(name)
        path, index = write_mmap(folder / "tokens.v1", rows, dtype)
        size = np.dtype(dtype).itemsize
        total = path.stat().st_size // size
        places = data.draw(st.lists(st.integers(1, total - 1), max_size=4, unique=True)) if total > 1 else []
        parts = split(path, [place * size for place in sorted(places)])
        check(memory, [*parts, index], rows, in_place=size in (2, 4))


@pytest.mark.parametrize("dtype", list(LIMITS))
@quick
@given(data=st.data())
def test_npy_in_any_parts(memory: duckdb.DuckDBPyConnection, dtype: str, data: st.DataObject) -> None:
    rows = data.draw(rectangles(dtype))
    cut = data.draw(st.integers(0, len(rows) - 1))
    with TemporaryDirectory() as name:
        folder, paths = Path(name), []
        for number, part in enumerate(part for part in (rows[:cut], rows[cut:]) if part):
            paths.append(folder / f"{number}.npy")
            np.save(paths[-1], np.array(part, dtype))
        check(memory, paths, rows, in_place=np.dtype(dtype).itemsize in (2, 4))


@pytest.mark.parametrize("kind", ["list", "large_list", "arrow file", "arrow stream"])
@pytest.mark.parametrize("dtype", ["uint16", "int64"])
@quick
@given(data=st.data())
def test_parquet_and_arrow(memory: duckdb.DuckDBPyConnection, kind: str, dtype: str, data: st.DataObject) -> None:
    rows = data.draw(ragged(dtype))
    names = data.draw(st.one_of(st.none(), st.permutations(range(3, 3 + 2 * len(rows), 2))))
    make = pa.large_list if kind == "large_list" else pa.list_
    table = pa.table({"tokens": pa.array(rows, make(pa.from_numpy_dtype(dtype)))})
    expected = numbered(rows)
    if names is not None:
        table = table.append_column("Index", pa.array(list(names), pa.int64()))
        expected = dict(zip(names, rows, strict=True))
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / ("tokens.arrow" if "arrow" in kind else "tokens.parquet")
        if kind == "arrow file":
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table, max_chunksize=3)
        elif kind == "arrow stream":
            with pa.ipc.new_stream(path, table.schema) as writer:
                writer.write_table(table, max_chunksize=3)
        else:
            pq.write_table(table, path, row_group_size=3)
        with rolled_back(memory) as connection:
            shard = ingest_corpus(connection, "copy", [path]).shard
            assert landed(connection, "copy") == expected
            assert (shard.first_sequence_id, shard.last_sequence_id) == (min(expected), max(expected))
            assert (shard.shortest_sequence, shard.longest_sequence) == (min(map(len, rows)), max(map(len, rows)))
            check_reads(connection, "copy", dict(sorted(expected.items())))


def test_fixed_size_lists_and_other_names(tmp_path: Path) -> None:
    rows = [[1, 2, 3], [4, 5, 6]]
    pq.write_table(pa.table({"input_ids": pa.array(rows, pa.list_(pa.int32(), 3))}), tmp_path / "a.parquet")
    with store.writing(tmp_path / "store.duckdb") as connection:
        shard = ingest_corpus(connection, "copy", [tmp_path / "a.parquet"]).shard
        assert landed(connection, "copy") == numbered(rows)
    assert shard.token_dtype == "uint16"


def test_ids_of_more_than_16_bits_make_the_store_wider(tmp_path: Path) -> None:
    np.save(tmp_path / "wide.npy", np.array([[1, 70_000]], np.int64))
    with store.writing(tmp_path / "store.duckdb") as connection:
        assert ingest_corpus(connection, "wide", [tmp_path / "wide.npy"]).shard.token_dtype == "uint32"
        assert landed(connection, "wide") == {0: [1, 70_000]}
