"""The UDFs on a DuckDB connection, as notebooks get them."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

import udf
from udf.engine_duckdb import sql_type


def test_register_makes_the_functions_callable_and_may_be_called_twice() -> None:
    connection = duckdb.connect()
    udf.register(connection)
    udf.register(connection)
    row = connection.execute("select templating('1. 2. 3. 4. 5. 6. 7. 8.').is_incrementing").fetchone()
    assert row == (True,)
    assert connection.cursor().execute("select huffman_code_length('abab')").fetchone() == (1.0,)


def test_nulls_come_back_as_nulls() -> None:
    connection = duckdb.connect()
    udf.register(connection)
    rows = connection.execute(
        "select huffman_code_length(text) from (values ('ab'), (null), ('')) as t (text)"
    ).fetchall()
    assert rows == [(1.0,), (None,), (0.0,)]


def test_functions_with_effects_can_be_left_out() -> None:
    connection = duckdb.connect()
    udf.register(connection, with_effects=False)
    with pytest.raises(duckdb.CatalogException):
        connection.execute("select scratch_folder('x')")


def test_types_map_to_duckdbs() -> None:
    nested = pa.list_(pa.struct([("index", pa.int64()), ("rate", pa.float64())]))
    assert sql_type(nested) == 'STRUCT("index" BIGINT, "rate" DOUBLE)[]'
    assert sql_type(pa.list_(pa.float32(), 384)) == "FLOAT[384]"
    with pytest.raises(TypeError, match="no DuckDB type is declared for Arrow's date32"):
        sql_type(pa.date32())
