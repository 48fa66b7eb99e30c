"""The UDFs on windows: with NULLs, slices and empty batches, called directly and from SQL."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtax_native import reference
from udf import UdfError, register
from udf.ngrams import (
    COUNT_OF_EITHER,
    COUNTS,
    count_windows,
    count_windows_and_tokens,
    count_windows_and_tokens_uint16,
    count_windows_uint16,
    find_window,
    ngram_equal,
    ngram_hash,
)
from udf.query_tables import build_query_table

TOKENS = np.random.default_rng(0).integers(0, 3, (40, 200)).astype(np.uint16)
TOKENS[5], TOKENS[6] = 1, np.resize([1, 2], 200)
ROWS = TOKENS.tolist()
WINDOWS = [row[at : at + 32] for row in ROWS for at in (32, 100)]
WITH_TOKENS = {
    count_windows_and_tokens: (count_windows, pa.uint32()),
    count_windows_and_tokens_uint16: (count_windows_uint16, pa.uint16()),
}
OF = {count_windows: pa.list_(pa.uint32()), count_windows_uint16: pa.list_(pa.uint16())}


@pytest.fixture(scope="module")
def handle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tables")
    pq.write_table(pa.table({"w": pa.array(WINDOWS, pa.list_(pa.uint32()))}), folder / "w.parquet")
    return build_query_table(pa.array([str(folder / "w.parquet")]), pa.array([str(folder)]))[0].as_py()


@pytest.fixture(scope="module")
def index(handle: str) -> dict[tuple[int, ...], int]:
    found = find_window(pa.array(WINDOWS, pa.list_(pa.uint32())), pa.array([handle] * len(WINDOWS)))
    return {tuple(window): at for window, at in zip(WINDOWS, found.to_pylist(), strict=True)}


def expected(rows: list[list[int] | None], index: dict[tuple[int, ...], int]) -> list[list[dict[str, int]] | None]:
    found = iter(reference.scan(WINDOWS, [row for row in rows if row is not None]))
    return [
        None
        if row is None
        else [
            {"query_index": index[window], "occurrences": count, "first_offset": first}
            for window, count, first in next(found)
        ]
        for row in rows
    ]


@pytest.mark.parametrize("count", OF)
def test_counts_are_those_of_the_reference(count: object, handle: str, index: dict[tuple[int, ...], int]) -> None:
    rows = [None, *ROWS[:7], [], None, [1] * 31, *ROWS[7:], None]
    found = count(pa.array(rows, OF[count]), pa.array([handle] * len(rows)))
    assert found.type == COUNTS
    assert found.to_pylist() == expected(rows, index)


@pytest.mark.parametrize("count", OF)
@pytest.mark.parametrize(("begin", "end"), [(0, 0), (1, 9), (7, 8), (40, 43)])
def test_a_slice_is_counted_by_itself(
    count: object, begin: int, end: int, handle: str, index: dict[tuple[int, ...], int]
) -> None:
    rows = [*ROWS, None, None, [2] * 64]
    handles = pa.array(["other", *[handle] * len(rows)]).slice(1)
    found = count(pa.array(rows, OF[count]).slice(begin, end - begin), handles.slice(begin, end - begin))
    assert found.to_pylist() == expected(rows[begin:end], index)


@pytest.mark.parametrize("count", OF)
def test_windows_of_several_lengths_are_counted_in_one_pass(count: object, tmp_path: Path) -> None:
    windows = [row[32 : 32 + length] for row in ROWS for length in (64, 8, 32)]
    pq.write_table(pa.table({"w": pa.array(windows, pa.list_(pa.uint32()))}), tmp_path / "w.parquet")
    handle = build_query_table(pa.array([str(tmp_path / "w.parquet")]), pa.array([str(tmp_path)]))[0].as_py()
    found = find_window(pa.array([None, *windows], pa.list_(pa.uint32())), pa.array([handle] * (len(windows) + 1)))
    assert found[0].as_py() is None
    index = {tuple(window): at for window, at in zip(windows, found.to_pylist()[1:], strict=True)}
    assert sorted(index.values()) == list(range(len(index)))
    rows = [None, *ROWS[:7], [], None, [1] * 31, *ROWS[7:], None]
    by_length = [
        iter(reference.scan([window for window in windows if len(window) == length], [row for row in rows if row]))
        for length in (8, 32, 64)
    ]
    expected = [
        row
        and [
            {"query_index": index[window], "occurrences": count, "first_offset": first}
            for scan in by_length
            for window, count, first in next(scan)
        ]
        for row in rows
    ]
    assert count(pa.array(rows, OF[count]), pa.array([handle] * len(rows))).to_pylist() == expected


def test_what_lies_behind_a_null_is_never_counted(handle: str, index: dict[tuple[int, ...], int]) -> None:
    """A NULL row may have tokens behind it, as when a column was masked."""
    values, offsets = pa.array(TOKENS[:3].ravel()), pa.array([0, 200, 400, 600], pa.int32())
    masked = pa.ListArray.from_arrays(offsets, values, mask=pa.array([False, True, False]))
    found = count_windows_uint16(masked, pa.array([handle] * 3))
    assert found.to_pylist() == expected([ROWS[0], None, ROWS[2]], index)


@pytest.mark.parametrize("count", WITH_TOKENS)
@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize(("begin", "end"), [(0, 47), (3, 20), (0, 1), (1, 2)])
def test_tokens_are_counted_beside_windows_where_they_are_wanted(
    count: object, wanted: bool, begin: int, end: int, handle: str
) -> None:
    windows_alone, width = WITH_TOKENS[count]
    rows = [None, *ROWS[:7], [], None, [1] * 31, *ROWS[7:], None, [1, 60_000]][begin:end]
    values = pa.array([None, *rows, [3] * 40], pa.list_(width)).slice(1, len(rows))
    handles = pa.array([handle] * len(rows))
    found = count(values, handles, pa.array([wanted] * len(rows)))
    found.validate(full=True)
    assert found.type == pa.list_(COUNT_OF_EITHER)
    of_windows, of_tokens = [], Counter[int]()
    for entries in found.to_pylist():
        of_tokens.update(
            {entry["token_id"]: entry["occurrences"] for entry in entries or [] if entry["token_id"] is not None}
        )
        of_windows.append(entries and [entry for entry in entries if entry["token_id"] is None])
    assert of_tokens == Counter(token for row in rows for token in row or [] if wanted)
    expected = windows_alone(values, handles).to_pylist()
    assert of_windows == [entries and [{"token_id": None, **entry} for entry in entries] for entries in expected]


def test_a_null_handle_gives_null(handle: str) -> None:
    rows = pa.array(ROWS[:3], pa.list_(pa.uint32()))
    assert count_windows(rows, pa.nulls(3, pa.string())).to_pylist() == [None] * 3
    assert find_window(rows, pa.nulls(3, pa.string())).to_pylist() == [None] * 3
    some = count_windows(rows, pa.array([handle, None, handle])).to_pylist()
    assert [entry is None for entry in some] == [False, True, False]
    both = count_windows_and_tokens(rows, pa.array([None, None, handle]), pa.array([True] * 3)).to_pylist()
    assert [entry is None for entry in both] == [True, True, False]
    assert sum(entry["occurrences"] for entry in both[2] if entry["token_id"] is not None) == len(ROWS[2])
    assert count_windows_and_tokens(rows, pa.nulls(3, pa.string()), pa.array([True] * 3)).to_pylist() == [None] * 3


def test_a_window_is_found_where_the_table_holds_it(handle: str, index: dict[tuple[int, ...], int]) -> None:
    assert sorted(index.values()) == list(range(len(index)))
    rows = [None, WINDOWS[3], [9] * 32, None, WINDOWS[0], [70_000] * 32]
    found = find_window(pa.array(rows, pa.list_(pa.uint32())).slice(1), pa.array([handle] * 5))
    assert found.to_pylist() == [index[tuple(WINDOWS[3])], None, None, index[tuple(WINDOWS[0])], None]


def test_a_window_of_another_length_is_refused(handle: str) -> None:
    with pytest.raises(UdfError, match="a window of 31 tokens; the query table holds windows of 32"):
        find_window(pa.array([[1] * 31], pa.list_(pa.uint32())), pa.array([handle]))


def test_two_handles_in_one_batch_are_refused(handle: str) -> None:
    with pytest.raises(UdfError, match="one value of handle"):
        count_windows(pa.array([[1], [2]], pa.list_(pa.uint32())), pa.array([handle, "other"]))


def test_a_null_token_is_refused(handle: str) -> None:
    with pytest.raises(UdfError, match="NULL token"):
        count_windows(pa.array([[1, None]], pa.list_(pa.uint32())), pa.array([handle]))


def test_hashes_of_rows_that_are_long_enough() -> None:
    rows = [[1, 2, 3], None, [1, 2], [], [7, 1, 2]]
    found = ngram_hash(pa.array(rows, pa.list_(pa.uint32())), pa.array([0] * 4 + [1]), pa.array([2] * 5)).to_pylist()
    assert found == [reference.ngram_hash([1, 2], 0, 2), None, found[0], None, found[0]]
    places = pa.array([None, 0, 0, -1, 2**31 - 1], pa.int32()), pa.array([1, None, 3, 1, 2**31 - 1], pa.int32())
    assert ngram_hash(pa.array([[1, 2]] * 5, pa.list_(pa.uint32())), *places).to_pylist() == [None] * 5


def test_runs_are_equal_where_their_tokens_are() -> None:
    a = pa.array([[1, 2], [1, 2], [], None, [1], None], pa.list_(pa.uint32()))
    b = pa.array([[1, 2], [1, 3], [], [1], None, None], pa.list_(pa.uint32()))
    assert ngram_equal(a, b).to_pylist() == [True, False, True, None, None, None]
    assert ngram_equal(a.slice(1, 3), b.slice(1, 3)).to_pylist() == [False, True, None]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        register(connection)
        yield connection


@pytest.mark.parametrize(("count", "kind"), [("count_windows", "uinteger"), ("count_windows_uint16", "usmallint")])
def test_sql_counts_every_duplicate(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, count: str, kind: str
) -> None:
    """As the models use it: more rows than a batch, NULL rows among them, and the counts joined back to the windows."""
    connection.execute(
        f"create table corpus as select i as id, if(i % 100 = 7, null, "
        f"list_transform(range(70), x -> cast((x // 2 * (i % 50) + i % 3) % 11 as {kind}))) as tokens "
        "from range(5000) t(i)"
    )
    connection.execute(f"copy (select tokens[33:64] as w from corpus) to '{tmp_path}/w.parquet' (format parquet)")
    built = connection.execute("select build_query_table(?, ?)", [f"{tmp_path}/w.parquet", str(tmp_path)]).fetchone()[0]
    found = connection.execute(
        f"""with hits as (select unnest({count}(tokens, '{built}'), recursive := true) from corpus),
        counts as (select query_index, sum(occurrences) as n, count(*) as sequences from hits group by all)
        select id, n, sequences
        from corpus join counts on query_index = find_window(tokens[33:64], '{built}')
        order by id
        """
    ).fetchall()
    expected = connection.execute(
        """with places as (select id, unnest(range(1, len(tokens) - 30)) as place, tokens from corpus),
        windows as (
            select tokens[place:place + 31] as w, count(*) as n, count(distinct id) as sequences
            from places group by all
        )
        select id, n, sequences from corpus join windows on w = tokens[33:64] order by id"""
    ).fetchall()
    assert len(expected) == 4950
    assert found == expected


def test_sql_passes_nulls(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.execute(
        "with rows as (select [5, 1]::uinteger[] as a, [1]::uinteger[] as b) "
        "select count_windows(null, null), find_window(null, null), ngram_hash(null, 0, 1), ngram_hash(a, 0, null), "
        "ngram_equal(a, null), ngram_equal(a, a), ngram_hash(a, 1, 1) = ngram_hash(b, 0, 1), "
        "build_query_table(null, 'x') from rows"
    ).fetchone() == (None, None, None, None, None, True, True, None)
