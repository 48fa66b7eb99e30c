"""SQL of the explorer: values are bound, names are quoted, and what is shown gives what was run."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from memtax.errors import SelectionError
from memtax.explorer.catalogue import Column
from memtax.explorer.filters import Filter, condition, parsed
from memtax.explorer.sequence import asked
from memtax.explorer.sql import Sql, Value, literal, sql
from memtax.quoting import identifier

NAMES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=20)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))
COMPARED = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


CONNECTION = duckdb.connect()


def ask(statement: Sql) -> list[tuple[Any, ...]]:
    run = CONNECTION.execute(statement.text, statement.parameters).fetchall()
    assert repr(CONNECTION.execute(statement.readable).fetchall()) == repr(run)
    return run


@settings(max_examples=150)
@given(TEXTS)
def test_a_text_written_out_is_that_text_and_drives_no_terminal(text: str) -> None:
    written = literal(text)
    assert CONNECTION.execute(f"select {written}").fetchone() == (text,)
    assert not any(ord(character) < 32 or character in "\x7f\x9b\u202e" for character in written)


@settings(max_examples=80)
@given(st.one_of(st.none(), st.booleans(), NUMBERS, st.just(math.inf)))
def test_a_value_written_out_is_that_value(value: Any) -> None:
    ((bound, written),) = ask(sql("select ", Value(value), ", ", sql(literal(value))))
    assert bound == written


@settings(max_examples=100)
@given(
    NAMES,
    st.lists(st.one_of(st.none(), TEXTS), max_size=8),
    TEXTS,
    st.sampled_from(["eq", "ne", "has", "null", "known"]),
)
def test_a_text_filter_keeps_what_it_says_whatever_the_column_is_called(
    name: str, values: list[str | None], wanted: str, operator: str
) -> None:
    made = condition(Filter(name, operator, wanted), {name: Column(name, "VARCHAR", "text")})
    rows = sql(*[part for value in values for part in (" union all select ", Value(value), ", 1")])
    table = sql(f"select null::varchar as {identifier(name)}, 0 as there", rows)
    found = ask(sql(f"select {identifier(name)} from (", table, ") where there = 1 and ", made))
    keeps = {
        "eq": lambda value: value is not None and value == wanted,
        "ne": lambda value: value is not None and value != wanted,
        "null": lambda value: value is None,
        "known": lambda value: value is not None,
    }
    if operator == "has":  # how letters fall together without case is DuckDB's to say
        assert all(value is not None for (value,) in found)
        assert {value for value in values if value is not None and wanted in value} <= {value for (value,) in found}
    else:
        assert sorted(map(repr, found)) == sorted(repr((value,)) for value in values if keeps[operator](value))


@settings(max_examples=100)
@given(
    st.lists(st.one_of(st.none(), st.integers(-5, 5)), max_size=8),
    st.integers(-5, 5),
    st.sampled_from(sorted(COMPARED)),
)
def test_a_number_filter_keeps_what_it_says(values: list[int | None], wanted: int, operator: str) -> None:
    made = condition(Filter("n", operator, f" {wanted} "), {"n": Column("n", "BIGINT", "number")})
    rows = sql("select unnest([", *[part for value in values for part in (Value(value), ", ")], "null]) as n")
    found = ask(sql("select n from (", rows, ") where ", made))
    assert sorted(n for (n,) in found) == sorted(n for n in values if n is not None and COMPARED[operator](n, wanted))


@pytest.mark.parametrize(
    ("filter_", "message"),
    [
        (Filter("nothing", "eq", "1"), "features has no column 'nothing'; it has n, t, f"),
        (Filter("n", "; drop", "1"), "there is no operator '; drop'"),
        (Filter("t", "ge", "a"), "t is VARCHAR, which '≥' does not take; it takes =, ≠, contains"),
        (Filter("n", "has", "a"), "n is BIGINT, which 'contains' does not take"),
        (Filter("n", "ge", "six"), "n is a number (BIGINT), and 'six' is none"),
        (Filter("n", "ge", "nan"), "compare with nothing"),
        (Filter("n", "ge", "9" * 400), "too large"),
        (Filter("f", "eq", "maybe"), "f is true or false, and not 'maybe'"),
    ],
)
def test_what_does_not_fit_the_columns_is_refused_with_what_would(filter_: Filter, message: str) -> None:
    columns = {
        "n": Column("n", "BIGINT", "number"),
        "t": Column("t", "VARCHAR", "text"),
        "f": Column("f", "BOOLEAN", "flag"),
    }
    with pytest.raises(SelectionError) as refused:
        condition(filter_, columns)
    assert message in str(refused.value)


def test_numbers_are_read_as_the_pages_show_them() -> None:
    column = Column("n", "DOUBLE", "number")
    assert parsed("1,234", column) == 1234
    assert parsed(" -1,234,567.5 ", column) == -1234567.5
    assert parsed("1e-3", column) == 0.001
    assert parsed("-inf", column) == -math.inf
    assert parsed(str(2**64), column) == 2.0**64


@pytest.mark.parametrize(
    "text", ["0,5", "0,500", "1,0", "1,4", "12,34", "1,2345", "1234,567", "1,,000", ",5", "1,000,", "1.000,5"]
)
def test_a_decimal_comma_is_read_as_no_other_number(text: str) -> None:
    for column in (Column("n", "DOUBLE", "number"), Column("n", "BIGINT", "number")):
        with pytest.raises(SelectionError, match="its decimals come after a point"):
            parsed(text, column)
    with pytest.raises(SelectionError, match="sequence_id is a whole number"):
        asked(QueryParams({"corpus": "c", "sequence_id": text}))


def test_an_id_is_read_as_the_pages_show_it() -> None:
    assert asked(QueryParams({"corpus": "c", "sequence_id": " 1,234,567 "})).sequence_id == 1_234_567
