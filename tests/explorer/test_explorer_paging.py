"""Pages by key: walked either way, they give every row exactly once, in the order of one query without pages."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtax.errors import SelectionError
from memtax.explorer import statements
from memtax.explorer.catalogue import Catalogue, Column
from memtax.explorer.paging import Order, place_of, written
from memtax.explorer.rows import Page, read_page
from memtax.explorer.selection import Selection

COLUMNS = {
    name: Column(name, type_, kind)
    for name, type_, kind in (
        ("dataset", "VARCHAR", "text"),
        ("corpus", "VARCHAR", "text"),
        ("sequence_id", "BIGINT", "number"),
        ("token_offset", "INTEGER", "number"),
        ("model", "VARCHAR", "text"),
        ("revision", "VARCHAR", "text"),
        ("measure", "DOUBLE", "number"),
        ("flag", "BOOLEAN", "flag"),
        ("word", "VARCHAR", "text"),
        ("amount", "DECIMAL(38,3)", "number"),
    )
}
CATALOGUE = Catalogue(COLUMNS, False, [], [])
CONNECTION = duckdb.connect()
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["d", "e'"]),
        st.just("c"),
        st.integers(0, 3),
        st.integers(0, 1),
        st.sampled_from(["m", 'n"']),
        st.just("r"),
        st.sampled_from([None, math.nan, math.inf, -math.inf, -0.0, 0.0, 0.1, 0.1 + 2**-56, 5e-324, 1e308]),
        st.sampled_from([None, True, False]),
        st.sampled_from([None, "", "a", "A", "é", "\0", "a\0b"]),
        # The last two are one double.
        st.sampled_from([None, *map(Decimal, ("0.000", "-0.100", "100", "9" * 35 + ".998", "9" * 35 + ".999"))]),
    ),
    max_size=25,
    unique_by=lambda row: row[:6],
)


def pages(connection: duckdb.DuckDBPyConnection, selection: Selection) -> list[Page]:
    found, after = [], None
    while True:
        page = read_page(
            connection, Selection(sort=selection.sort, descending=selection.descending, size=3, after=after), CATALOGUE
        )
        found.append(page)
        after = page.next
        if after is None:
            return found


@settings(max_examples=60)
@given(ROWS, st.sampled_from([None, "measure", "flag", "word", "amount", "sequence_id", "model"]), st.booleans())
def test_pages_give_every_row_once_and_lead_back(
    rows: list[tuple[Any, ...]], sort: str | None, descending: bool
) -> None:
    selection = Selection(sort=sort, descending=descending, size=3)
    connection = CONNECTION
    listed = ", ".join(f"{column.name} {column.type}" for column in COLUMNS.values())
    connection.execute(f"create or replace table main.features ({listed})")
    for row in rows:
        connection.execute(f"insert into features values ({', '.join('?' * len(row))})", list(row))
    keys = ", ".join(statements.KEYS)
    order = Order(sort, descending).sql.text
    expected = connection.execute(f"select {keys} from features order by {order}").fetchall()
    walked = pages(connection, selection)
    assert [tuple(row.values[key] for key in statements.KEYS) for page in walked for row in page.rows] == expected
    back = [walked[-1]]
    while back[-1].previous is not None:
        place = back[-1].previous
        back.append(read_page(connection, Selection(sort=sort, descending=descending, size=3, before=place), CATALOGUE))
    returned = [tuple(row.values[key] for key in statements.KEYS) for page in reversed(back) for row in page.rows]
    assert returned == expected
    assert walked[0].previous is None


@given(st.text(max_size=30))
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SelectionError):
        place_of(text, Order("measure"), COLUMNS)


def test_a_place_of_another_order_is_refused() -> None:
    place = [0.5, 1, 0, "c", "d", "m", "r"]
    assert place_of(written(place), Order("measure"), COLUMNS) == place
    exact = [Decimal("12.340"), *place[1:]]
    assert place_of(written(exact), Order("amount"), COLUMNS) == exact
    for none in ("NaN", "1e9", "", "0x1", "\u0661"):
        with pytest.raises(SelectionError, match="does not go with amount"):
            place_of(written([none, *place[1:]]), Order("amount"), COLUMNS)
    for order in (Order(), Order("word"), Order("flag")):
        with pytest.raises(SelectionError, match="begin at the first page"):
            place_of(written(place), order, COLUMNS)
