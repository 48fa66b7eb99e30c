"""Counts of tokens, batch by batch, held to Python's Counter; what SQL makes of them is their sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import udf
from udf.errors import UdfError
from udf.token_counts import COUNTS, LARGEST_TABLE, count_tokens, count_tokens_uint16, histogram

# A busy machine must not fail these: how long an example takes to make is not what they are about.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

Rows = Sequence[Sequence[int] | None]
FUNCTIONS = {pa.uint16(): count_tokens_uint16, pa.uint32(): count_tokens}
# Small ids that repeat, the widths' borders, and ids beyond what a table of places is kept for.
UINT16 = st.integers(0, 6) | st.sampled_from([2**15, 2**16 - 1])
UINT32 = UINT16 | st.sampled_from([2**16, LARGEST_TABLE - 1, LARGEST_TABLE, LARGEST_TABLE + 1, 2**32 - 1])


def rows_of(ids: st.SearchStrategy[int]) -> st.SearchStrategy[list[list[int] | None]]:
    return st.lists(st.none() | st.lists(ids, max_size=12), max_size=12)


batches = st.one_of(
    st.tuples(st.just(pa.uint16()), rows_of(UINT16)),
    st.tuples(st.just(pa.uint32()), rows_of(UINT16)),
    st.tuples(st.just(pa.uint32()), rows_of(UINT32)),
)


def expected(rows: Rows) -> Counter[int]:
    return Counter(token for row in rows if row is not None for token in row)


def summed(counts: pa.Array) -> Counter[int]:
    total: Counter[int] = Counter()
    for entries in counts.to_pylist():
        for entry in entries or []:
            total[entry["token_id"]] += entry["frequency"]
    return total


@patient
@given(batches, st.integers(0, 12), st.integers(0, 12))
def test_a_batch_and_every_slice_of_it(batch: tuple[pa.DataType, Rows], start: int, length: int) -> None:
    width, rows = batch
    tokens = pa.array(rows, pa.list_(width)).slice(start, length)
    counts = FUNCTIONS[width](tokens)
    counts.validate(full=True)
    assert (counts.type, len(counts)) == (COUNTS, len(tokens))
    assert summed(counts) == expected(rows[start : start + length])
    assert counts.is_null().to_pylist() == tokens.is_null().to_pylist()
    # One row carries the batch's counts, so that no row costs more than an empty list.
    assert sum(bool(entries) for entries in counts.to_pylist()) <= 1


def test_a_null_row_may_have_tokens_beneath_it() -> None:
    values = pa.array([1, 2, 3, 4, 5, 6], pa.uint16())
    tokens = pa.ListArray.from_arrays(pa.array([0, 2, 4, 6], pa.int32()), values, mask=pa.array([False, True, False]))
    assert summed(count_tokens_uint16(tokens)) == Counter([1, 2, 5, 6])


@pytest.mark.parametrize("width", list(FUNCTIONS))
def test_no_rows_and_rows_of_nothing(width: pa.DataType) -> None:
    function = FUNCTIONS[width]
    assert function(pa.array([], pa.list_(width))).to_pylist() == []
    assert function(pa.array([None, None], pa.list_(width))).to_pylist() == [None, None]
    assert function(pa.array([[], None, []], pa.list_(width))).to_pylist() == [[], None, []]


def test_a_null_token_is_refused() -> None:
    with pytest.raises(UdfError, match="NULL token"):
        count_tokens(pa.array([[1, None]], pa.list_(pa.uint32())))


@patient
@given(st.lists(UINT32, max_size=50))
def test_a_histogram_is_what_numpy_counts(values: list[int]) -> None:
    ids, frequencies = histogram(np.asarray(values, np.uint32))
    unique, counts = np.unique(np.asarray(values, np.uint32), return_counts=True)
    np.testing.assert_array_equal(ids, unique)
    np.testing.assert_array_equal(frequencies, counts)
    assert ids.dtype == frequencies.dtype == np.int64


@pytest.mark.parametrize(("name", "kind"), [("count_tokens", "uinteger"), ("count_tokens_uint16", "usmallint")])
def test_sql_adds_up_the_batches(name: str, kind: str) -> None:
    random = np.random.default_rng(4)
    rows: Rows = [
        None if number % 97 == 0 else random.integers(0, 300, random.integers(0, 40)).tolist()
        for number in range(10_000)
    ]
    tokens = pa.table({"tokens": pa.array(rows, pa.list_(pa.uint32()))})
    with duckdb.connect() as connection:
        udf.register(connection)
        connection.register("arrow", tokens)
        connection.execute(f"create table corpus as select tokens::{kind}[] as tokens from arrow")
        sql = (
            f"select token_id, sum(frequency)::bigint from (select unnest({name}(tokens), recursive := true) from corpus "
            "{where}) group by token_id"
        )
        assert Counter(dict(connection.execute(sql.format(where="")).fetchall())) == expected(rows)
        assert connection.execute(sql.format(where="where false")).fetchall() == []
