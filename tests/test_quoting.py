"""Whatever comes from outside is one name, or one text, to DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtax.quoting import identifier, literal, literals

# DuckDB has no NUL in text, and no lone surrogates.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@given(TEXTS)
def test_a_literal_is_the_text(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    assert connection.execute(f"select {literal(text)}").fetchone() == (text,)


@given(TEXTS.filter(bool))
def test_an_identifier_is_the_name(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    result = connection.execute(f"select 1 as {identifier(name)}")
    assert [column[0] for column in result.description] == [name]
    assert result.fetchall() == [(1,)]


def test_paths_and_several_texts() -> None:
    assert literals([Path("it's/a"), "b"]) == "'it''s/a', 'b'"
    assert literals([]) == ""
