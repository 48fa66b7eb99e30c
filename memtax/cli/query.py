"""`memtax query`: SQL over the store, with the UDFs, that cannot write."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

import click
import duckdb

from memtax.errors import StoreError

FORMATS = {
    "csv": "format csv, header",
    "json": "format json, array",
    "parquet": "format parquet",
}
# Options in parentheses are not taken: what is in them could hide where the explained statement begins.
EXPLAIN = re.compile(r"\s*explain(\s+analyze)?\s+", re.IGNORECASE)
TAIL = re.compile(r"\s*(;\s*(--[^\n]*)?\s*)*$")
ROWS_SHOWN = 1_000


@click.command()
@click.argument("sql")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", *FORMATS]),
    default="table",
    show_default=True,
    help=f"How the result is written; a table shows at most {ROWS_SHOWN:,} rows.",
)
def query(sql: str, output_format: str) -> None:
    """Run SQL over the store, with memtax's UDFs, and write the result to stdout.

    It reads the store's tables and local files (read_csv, read_parquet), and never writes.

    \b
    Examples:
      memtax query "select category, count(*) from features where memorized group by category"
      memtax query "select templating('1. 2. 3. 4. 5. 6. 7.')"
      memtax query "from features limit 1000" --format parquet > features.parquet
    """
    from memtax.session import reading_session

    with reading_session() as connection:
        statement = _only_reading(sql, connection)
        try:
            if output_format == "table":
                _show(connection, statement)
            else:
                _copy(connection, statement, FORMATS[output_format])
        except duckdb.CatalogException as error:
            raise StoreError(
                f"the query failed: {_message(error)}\nTables appear when dbt run has built them."
            ) from error
        except duckdb.Error as error:
            raise StoreError(f"the query failed: {_message(error)}") from error


def _only_reading(sql: str, connection: duckdb.DuckDBPyConnection) -> str:
    # A read-only database is not enough: COPY writes files, and EXPLAIN ANALYZE runs what it explains.
    statement = _one_statement(sql, connection)
    explained = statement
    if statement.type == duckdb.StatementType.EXPLAIN:
        prefix = EXPLAIN.match(statement.query)
        if prefix:
            explained = _one_statement(statement.query[prefix.end() :], connection)
    if explained.type != duckdb.StatementType.SELECT:
        raise StoreError(
            f"memtax query only reads, and this is a {explained.type.name} statement; "
            "write a SELECT, and send its result where you want it with --format"
        )
    return TAIL.sub("", statement.query)


def _one_statement(sql: str, connection: duckdb.DuckDBPyConnection) -> duckdb.Statement:
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise StoreError(f"this is not SQL that DuckDB understands: {error}") from error
    if len(statements) != 1:
        raise StoreError(f"got {len(statements)} statements; memtax query runs exactly one")
    return statements[0]


def _show(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    if EXPLAIN.match(statement):
        for _, plan in connection.execute(statement).fetchall():
            click.echo(plan)
        return
    relation = connection.sql(statement)
    width = shutil.get_terminal_size((200, 0)).columns
    relation.show(max_rows=ROWS_SHOWN, max_width=width)


def _copy(connection: duckdb.DuckDBPyConnection, statement: str, options: str) -> None:
    # Parquet ends with a footer that points back, so the file is made whole before the first byte goes out.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result"
        quoted = str(path).replace("'", "''")
        # On lines of its own, since a statement may end with a comment; as a subquery, since it may be a DESCRIBE.
        wrapped = f"copy (select * from (\n{statement}\n)) to '{quoted}' ({options})"  # noqa: S608 - SQL is what was asked
        connection.execute(wrapped)
        with path.open("rb") as result:
            shutil.copyfileobj(result, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _message(error: duckdb.Error) -> str:
    # Of an exception in Python, DuckDB shows where it was raised, which says nothing to whoever wrote the query.
    message = str(error).split("\n\nAt:")[0].rstrip()
    return message.splitlines()[-1] if "Traceback (most recent call last)" in message else message
