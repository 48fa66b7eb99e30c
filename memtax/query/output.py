"""Results, as a table on a terminal or as CSV, JSON or Parquet."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

import click
import duckdb

from memtax.errors import StoreError
from memtax.query.statement import Question
from memtax.quoting import identifier, literal

FORMATS = {
    "csv": "format csv, header",
    "json": "format json, array",
    "parquet": "format parquet",
}
ROWS_SHOWN = 1_000


def show(connection: duckdb.DuckDBPyConnection, question: Question) -> None:
    """Print the first rows as a table, as wide as the terminal."""
    if question.explains:
        for _, plan in connection.execute(question.sql, question.parameters or None).fetchall():
            click.echo(plan)
        return
    relation = connection.sql(question.sql, params=question.parameters or None)
    width = shutil.get_terminal_size((200, 0)).columns
    relation.show(max_rows=ROWS_SHOWN, max_width=width)


def copy(connection: duckdb.DuckDBPyConnection, question: Question, name: str, stream: BinaryIO) -> None:
    """Write the whole result in the format `name` to a stream.

    Raises:
        StoreError: it is an EXPLAIN.
    """
    if question.explains:
        raise StoreError(f"an EXPLAIN has a text and no rows; leave --format {name} out")
    # Parquet ends with a footer that points back, so the file is made whole before the first byte goes out.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result"
        # On lines of its own, since a statement may end with a comment; as a subquery, since it may be a DESCRIBE.
        inside = f"from (\n{question.sql}\n)"
        columns = _finite_columns(connection, inside, question) if name == "json" else "*"
        wrapped = f"copy (select {columns} {inside}) to {literal(path)} ({FORMATS[name]})"
        connection.execute(wrapped, question.parameters or None)
        with path.open("rb") as result:
            shutil.copyfileobj(result, stream)
    stream.flush()


def _finite_columns(connection: duckdb.DuckDBPyConnection, inside: str, question: Question) -> str:
    """What is selected for JSON, which has neither NaN nor infinities: null in their places, in columns and lists."""
    described = connection.execute(f"describe select * {inside}", question.parameters or None).fetchall()
    replaced = [
        f"{finite} as {identifier(name)}"
        for name, kind, *_ in described
        if (finite := finite_or_null(identifier(name), kind)) is not None
    ]
    return f"* replace ({', '.join(replaced)})" if replaced else "*"


def finite_or_null(value: str, kind: str, depth: int = 0) -> str | None:
    """SQL for a value in which null stands for NaN and infinities, as JSON needs it; None where its type has neither.

    Args:
        value: SQL for it.
        kind: its SQL type.
        depth: of the list that it is an item of.
    """
    if kind in ("FLOAT", "DOUBLE"):
        return f"case when isfinite({value}) then {value} end"
    if kind.endswith("[]"):
        item = f"item_{depth}"
        inner = finite_or_null(item, kind.removesuffix("[]"), depth + 1)
        return None if inner is None else f"list_transform({value}, lambda {item}: {inner})"
    return None
