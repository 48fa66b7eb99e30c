"""The UDF on any text: the native kernel equals the reference, NULLs pass, and batches do not matter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtax_native import _text
from udf.templating import kernel, templating

PIECES = [
    "0x1f",
    "0x20",
    "-1",
    "-0x10",
    "1.5",
    "1.2.3",
    "12.",
    "10",
    "9A",
    "ff",
    "Mon",
    "tuesday",
    "may",
    "Jun",
    "iv",
    "VI",
    "one",
    "0b11",
    "0o17",
    "1_000",
    "+5",
    "-0",
    "00",
    "007",
    "\\n",
    "\\x41",
    "\\u00e9",
    "U+00E9",
    "&#x41",
    "\\",
    "99999999999999999999",
    "123456789012345678",
    "1234567890.5",
    "0.1234567",
    "second",
    "'",
    '"',
    "\x07",
    "\x1c",
    "\xa0",
    "\u200b",
    "\u0661",
    "²",
    "Ⅳ",
    "é",
    "日",
    "\U0001f600",
]
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
pieces = st.lists(st.sampled_from([*PIECES, " ", ", ", "\n", "  "]), max_size=14).map("".join)
patterns = st.builds(
    lambda unit, start, step, times, cut: "".join(f"{unit}{start + step * place} " for place in range(times))[cut:],
    st.sampled_from(["", "a", "x-", "(0,", "é "]),
    st.integers(-5, 120),
    st.sampled_from([0, 1, 2, -1, 0.5, 0.25]),
    st.integers(0, 9),
    st.integers(0, 3),
)
texts = anything | pieces | patterns
FLAGS = ("is_incrementing", "is_repeating", "is_templating", "paper_is_incrementing", "paper_is_repeating")


@settings(max_examples=300)
@given(st.lists(texts, min_size=1, max_size=30))
def test_kernel_equals_reference(rows: list[str]) -> None:
    column = pa.array(rows, pa.string())
    fast, slow = kernel.find(column), kernel.find_with_reference(column)
    for name, found, expected in zip(fast._fields, fast, slow, strict=True):
        assert np.array_equal(found, expected), (name, rows)


@settings(max_examples=50)
@given(st.lists(st.none() | texts, max_size=20), st.integers(0, 20), st.integers(0, 20))
def test_rows_do_not_depend_on_their_batch(rows: list[str | None], start: int, length: int) -> None:
    column = pa.array(rows, pa.string())
    whole = templating(column).to_pylist()
    assert [row is None for row in whole] == [row is None for row in rows]
    assert templating(column[start : start + length]).to_pylist() == whole[start : start + length]


@given(texts)
def test_the_columns_agree_with_each_other(text: str) -> None:
    row = templating(pa.array([text]))[0].as_py()
    assert all(isinstance(row[flag], bool) for flag in FLAGS)
    assert row["is_templating"] == (row["is_incrementing"] or row["is_repeating"])
    assert not (row["is_incrementing"] and row["is_repeating"])
    assert not (row["paper_is_incrementing"] and row["paper_is_repeating"])
    assert 0 <= row["coverage"] <= 1
    assert (row["pattern"] is None) == (row["period"] is None) == (row["coverage"] == 0)
    assert (row["step"] is not None) == (row["pattern"] == "counter")
    assert row["period"] is None or 1 <= row["period"] <= len(text)


def test_null_and_empty() -> None:
    assert templating(pa.array([None, ""], pa.string())).to_pylist() == [
        None,
        dict.fromkeys(FLAGS, False) | {"pattern": None, "period": None, "step": None, "coverage": 0.0},
    ]
    assert len(templating(pa.array([], pa.string()))) == 0


def test_many_rows_on_many_threads() -> None:
    rows = [f"n {number} n {number + 1} n {number + 2}" if number % 3 else "plain words here" for number in range(5000)]
    found = templating(pa.array(rows)).field("is_incrementing").to_pylist()
    assert found == [bool(number % 3) for number in range(5000)]


def test_kernel_refuses_offsets_outside_the_data() -> None:
    native = kernel._native_rules(_text)
    for offsets in ([0, 5], [3, 1], [-1, 2], []):
        with pytest.raises(ValueError, match="offsets"):
            native.find(np.array(offsets, dtype=np.int64), b"abc", 1)
