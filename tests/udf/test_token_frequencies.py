"""Frequencies of tokens and their statistics, equal on every row to the same in plain SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import udf
from udf.errors import UdfError
from udf.token_counts import LARGEST_TABLE
from udf.token_frequencies import STATISTICS, build_frequency_table, token_frequency_statistics

# The same by joins and list functions; short and slow.
REFERENCE = """
with positions as (
    select id, corpus, unnest(tokens) as token_id, unnest(range(len(tokens))) as position from windows
),
lists as (
    select id, list(coalesce(frequency, 0) order by position) as frequencies
    from positions left join frequencies using (corpus, token_id)
    where corpus in (select corpus from frequencies)
    group by id
),
sorted as (select *, list_sort(frequencies) as up, len(frequencies) as n from lists)
select
    windows.id,
    up[n],
    up[1],
    list_avg(frequencies),
    (up[cast(ceil(n / 2) as integer)] + up[cast(floor(n / 2) as integer) + 1]) / 2.0,
    cast(up[cast(ceil(n * 0.25) as integer)] as double),
    cast(up[cast(ceil(n * 0.75) as integer)] as double),
    frequencies
from windows left join sorted using (id)
order by id
"""
NATIVE = """
with tables as materialized (
    select corpus, build_frequency_table(list(token_id), list(frequency), getvariable('folder')) as handle
    from frequencies group by corpus
),
found as (
    select id, token_frequency_statistics(tokens, handle) as f from windows left join tables using (corpus)
)
select
    id, f.max_frequency, f.min_frequency, f.avg_frequency, f.median_frequency, f.p25_frequency, f.p75_frequency, f.frequencies
from found order by id
"""
IDS = st.integers(0, 9) | st.sampled_from([LARGEST_TABLE - 1, LARGEST_TABLE, 2**32 - 1])


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        udf.register(opened)
        opened.execute("set variable folder = ?", [str(tmp_path_factory.mktemp("tables"))])
        yield opened


def both(
    connection: duckdb.DuckDBPyConnection,
    windows: Sequence[tuple[str, list[int] | None]],
    counts: dict[tuple[str, int], int],
) -> tuple[list[tuple], list[tuple]]:
    table = pa.table(
        {
            "id": pa.array(range(len(windows)), pa.int64()),
            "corpus": pa.array([corpus for corpus, _ in windows], pa.string()),
            "tokens": pa.array([tokens for _, tokens in windows], pa.list_(pa.uint32())),
        }
    )
    frequencies = pa.table(
        {
            "corpus": pa.array([corpus for corpus, _ in counts], pa.string()),
            "token_id": pa.array([token for _, token in counts], pa.int64()),
            "frequency": pa.array(list(counts.values()), pa.int64()),
        }
    )
    connection.register("windows_arrow", table)
    connection.register("frequencies_arrow", frequencies)
    connection.execute("create or replace temp table windows as from windows_arrow")
    connection.execute("create or replace temp table frequencies as from frequencies_arrow")
    return connection.execute(NATIVE).fetchall(), connection.execute(REFERENCE).fetchall()


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    windows=st.lists(
        st.tuples(st.sampled_from(["a", "b", "not landed"]), st.none() | st.lists(IDS, max_size=9)), max_size=30
    ),
    counts=st.dictionaries(st.tuples(st.sampled_from("ab"), IDS), st.integers(0, 2**40), max_size=12),
)
def test_equal_to_plain_sql(
    connection: duckdb.DuckDBPyConnection,
    windows: list[tuple[str, list[int] | None]],
    counts: dict[tuple[str, int], int],
) -> None:
    native, reference = both(connection, windows, counts)
    assert native == reference


def test_equal_to_plain_sql_on_many_windows(connection: duckdb.DuckDBPyConnection) -> None:
    random = np.random.default_rng(8)
    tokens = random.zipf(1.2, (5_000, 64)) % 3_000
    windows = [("a" if number % 3 else "b", row.tolist()) for number, row in enumerate(tokens)]
    counts = {(corpus, token): int(random.integers(1, 10**9)) for corpus in "ab" for token in range(0, 3_000, 2)}
    native, reference = both(connection, windows, counts)
    assert native == reference
    assert connection.execute("select typeof(max(frequency)) from frequencies").fetchone() == ("BIGINT",)


def build(ids: list[int | None], counts: list[int], folder: Path | None) -> str | None:
    kind = pa.list_(pa.int64())
    return build_frequency_table(
        pa.array([ids], kind), pa.array([counts], kind), pa.array([folder and str(folder)], pa.string())
    )[0].as_py()


def test_the_same_frequencies_are_one_file(tmp_path: Path) -> None:
    handle = build([3, 1], [30, 10], tmp_path / "new")
    assert handle == build([1, 3], [10, 30], tmp_path / "new")
    assert [str(path) for path in (tmp_path / "new").iterdir()] == [handle]
    assert handle != build([1, 3], [10, 31], tmp_path / "new")
    assert build([1], [1], None) is None


def test_slices_and_nulls(tmp_path: Path) -> None:
    handle = build([1, 3], [10, 30], tmp_path)
    tokens = pa.array([[9], [1, 3], None, [], [3, 3, 7], [1]], pa.list_(pa.uint32()))
    handles = pa.array([None, handle, handle, handle, handle, None], pa.string())
    found = token_frequency_statistics(tokens.slice(1), handles.slice(1))
    assert found.type == STATISTICS
    assert [row and row["frequencies"] for row in found.to_pylist()] == [[10, 30], None, None, [30, 30, 0], None]
    assert len(token_frequency_statistics(tokens.slice(6), handles.slice(6))) == 0
    narrow = token_frequency_statistics(tokens.slice(1, 1).cast(pa.list_(pa.uint16())), handles.slice(1, 1))
    assert narrow.to_pylist()[0]["avg_frequency"] == 20


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    for ids, counts, message in (
        ([1, 1], [2, 3], "an id twice"),
        ([-1], [2], "a negative number"),
        ([1], [2, 3], "1 token ids and 2 frequencies"),
        ([None], [2], "no NULL"),
    ):
        with pytest.raises(UdfError, match=message):
            build(ids, counts, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UdfError, match="cannot write to"):
        build([1], [2], tmp_path / "file")
    with pytest.raises(UdfError, match=r"must come from build_frequency_table\(\)"):
        token_frequency_statistics(pa.array([[1]], pa.list_(pa.uint32())), pa.array([str(tmp_path / "absent")]))
