"""Connections as people use them: the store opened for reading, with UDFs and the corpora that are scanned in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from memtax import store
from memtax.errors import MissingExtraError
from memtax.memory import limit_memory

if TYPE_CHECKING:
    import ibis.expr.types as ir


@contextmanager
def reading_session() -> Iterator[duckdb.DuckDBPyConnection]:
    """The store, read-only, with the UDFs that have no effects and the in-place corpora; closed at the end.

    Raises:
        StoreError, StoreLockedError: see `memtax.store.connect`.
    """
    connection = connect()
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def exported_session(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of an exported folder under their names, with the UDFs, and no store; closed at the end.

    Raises:
        SourceError: the folder holds no export, or one of its files is missing.
    """
    from memtax.export.manifest import attach_tables

    with duckdb.connect() as connection:
        limit_memory(connection)
        _prepare(connection)
        attach_tables(connection, folder)
        yield connection


def connect(path: Path | str | None = None) -> duckdb.DuckDBPyConnection:
    """The store, read-only, with memtax's functions (`templating`, `huffman_code_length`, …) callable from SQL.

    An open connection keeps dbt from writing: close it, or use it in a `with`, before `dbt run`.

    Args:
        path: the database file; by default the one that every command uses.

    Returns:
        A DuckDB connection; what it reads of UDFs and in-place corpora needs nothing more.

    Raises:
        StoreError: there is no store, or it is not a DuckDB database.
        StoreLockedError: another process is writing; the message names it.
    """
    from memtax.corpus.in_place import attach

    connection = store.connect(read_only=True, path=None if path is None else Path(path))
    try:
        _prepare(connection)
        attach(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def features(connection: duckdb.DuckDBPyConnection | None = None, table: str = "features") -> ir.Table:
    """A mart as a lazy ibis table: nothing is read before `.to_pyarrow()`, `.to_polars()` or the like.

    Args:
        connection: of `connect()`; by default a new one, which the table keeps open as long as it lives.
        table: the mart.

    Raises:
        MissingExtraError: ibis is not installed.
        StoreError: there is no store, or no such table in it yet.
    """
    try:
        import ibis
    except ModuleNotFoundError as error:
        raise MissingExtraError("memtax.features()", "notebook") from error
    connection = connection or connect()
    store.require_table(connection, "main", table, "dbt run builds it")
    return ibis.duckdb.from_connection(connection).table(table)


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    import udf

    # A query reads local files, and fetches nothing.
    connection.execute("set autoinstall_known_extensions = false; set autoload_known_extensions = false")
    udf.register(connection, with_effects=False)
