"""The UDFs on DuckDB: `register` makes them callable from SQL on any connection."""

from __future__ import annotations

import inspect

import duckdb
import pyarrow as pa

from udf.catalogue import load_all
from udf.registry import ArrowFunction, Udf

_SQL_TYPES = {
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
}


def register(connection: duckdb.DuckDBPyConnection, *, with_effects: bool = True) -> None:
    """Make the UDFs callable from SQL on `connection` and its cursors; a second call changes nothing.

    Args:
        connection: an open DuckDB connection, writable or not.
        with_effects: False leaves out the ones that make files, for connections that must only read.
    """
    functions = [function for function in load_all() if with_effects or not function.volatile]
    present = {
        name
        for (name,) in connection.execute(
            "select distinct function_name from duckdb_functions() where list_contains(?, function_name)",
            [[function.name for function in functions]],
        ).fetchall()
    }
    for function in functions:
        if function.name not in present:
            _create(connection, function)


def sql_type(arrow_type: pa.DataType) -> str:
    """The DuckDB type that holds an Arrow type.

    Raises:
        TypeError: a UDF declares a type that no mapping covers.
    """
    if pa.types.is_fixed_size_list(arrow_type):
        return f"{sql_type(arrow_type.value_type)}[{arrow_type.list_size}]"
    if pa.types.is_list(arrow_type):
        return f"{sql_type(arrow_type.value_type)}[]"
    if pa.types.is_struct(arrow_type):
        fields = ", ".join(f'"{field.name}" {sql_type(field.type)}' for field in arrow_type)
        return f"STRUCT({fields})"
    if arrow_type not in _SQL_TYPES:
        raise TypeError(f"no DuckDB type is declared for Arrow's {arrow_type}; add it to udf/engine_duckdb.py")
    return _SQL_TYPES[arrow_type]


def _create(connection: duckdb.DuckDBPyConnection, function: Udf) -> None:
    connection.create_function(  # type: ignore[call-overload]  # its stub knows no strings for types of UDFs
        function.name,
        _with_named_parameters(function),
        [connection.sqltype(sql_type(parameter)) for parameter in function.parameters],
        connection.sqltype(sql_type(function.returns)),
        type="arrow",
        null_handling="special",
        side_effects=function.volatile,
    )


def _with_named_parameters(function: Udf) -> ArrowFunction:
    # DuckDB holds the declared parameters against the signature, and a catch-all *columns would count as one.
    def call(*columns: pa.ChunkedArray) -> pa.Array:
        return function(*columns)

    call.__signature__ = inspect.signature(function.function)  # type: ignore[attr-defined]
    return call
