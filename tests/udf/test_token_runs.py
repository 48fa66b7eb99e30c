"""The paper's older token filters, against worked cases and a plain search."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udf.errors import UdfError
from udf.token_runs import token_runs

TOKENS = pa.list_(pa.uint32())
sequences = st.lists(st.integers(0, 3), max_size=40) | st.builds(
    lambda unit, times, tail: unit * times + tail,
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=12),
    st.integers(0, 8),
    st.lists(st.integers(0, 5), max_size=3),
)


def plain(tokens: list[int]) -> dict:
    longest = max((len(list(group)) for _, group in itertools.groupby(tokens)), default=0)
    for trailing in range(3):
        used = tokens[: len(tokens) - trailing] if trailing <= len(tokens) else []
        for size in range(2, 11):
            times = len(used) // size
            if times >= 2 and used == used[:size] * times:
                return {
                    "repeating_offset": trailing,
                    "num_repeating": times,
                    "smallest_repeating_chunk": used[:size],
                    "longest_token_run": longest,
                }
    return {
        "repeating_offset": None,
        "num_repeating": 0,
        "smallest_repeating_chunk": None,
        "longest_token_run": longest,
    }


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([1, 2] * 4, (0, 4, [1, 2], 1)),
        ([1, 2, 3] * 5 + [1], (1, 5, [1, 2, 3], 1)),
        ([1, 2, 3] * 21 + [9], (1, 21, [1, 2, 3], 1)),
        ([1, 2, 1, 2, 8, 9], (2, 2, [1, 2], 1)),
        ([7] * 6, (0, 3, [7, 7], 6)),
        ([70000, 70001] * 3, (0, 3, [70000, 70001], 1)),
        (list(range(11)) * 2, (None, 0, None, 1)),
        ([1, 2, 3], (None, 0, None, 1)),
        ([1, 2, 1, 2, 7, 8, 9], (None, 0, None, 1)),
        ([5, 5, 5, 9, 9, 4, 4], (None, 0, None, 3)),
        ([], (None, 0, None, 0)),
    ],
)
def test_worked_cases(tokens: list[int], expected: tuple) -> None:
    assert tuple(token_runs(pa.array([tokens], TOKENS))[0].as_py().values()) == expected


@given(st.lists(st.none() | sequences, max_size=12), st.integers(0, 12))
def test_equals_a_plain_search_in_any_batch(rows: list[list[int] | None], start: int) -> None:
    column = pa.array(rows, TOKENS)
    expected = [None if row is None else plain(row) for row in rows]
    assert token_runs(column).to_pylist() == expected
    assert token_runs(column[start:]).to_pylist() == expected[start:]


def test_values_under_a_null_row_are_not_seen() -> None:
    column = pa.ListArray.from_arrays(
        pa.array([0, 4, 8], pa.int32()), pa.array([1, 2, 1, 2, 5, 5, 5, 5], pa.uint32()), mask=pa.array([False, True])
    )
    assert token_runs(column).to_pylist() == [plain([1, 2, 1, 2]), None]


def test_a_null_token_is_refused() -> None:
    with pytest.raises(UdfError, match="holds NULL"):
        token_runs(pa.array([[1, None]], TOKENS))
