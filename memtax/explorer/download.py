"""A selection as a file: CSV, JSON or Parquet."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from starlette.responses import FileResponse

from memtax.explorer.catalogue import TEXT, Catalogue
from memtax.explorer.selection import Selection, statement
from memtax.query.output import FORMATS, finite_or_null
from memtax.quoting import identifier, literal

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
# A page is no place to move a store: what is more goes through memtax query or memtax export.
MOST_ROWS = 200_000
# What a spreadsheet would take for a formula.
_FORMULA = "^[=+\\-@\\t\\r]"


class Handed(FileResponse):
    """A temporary file as an answer; it is gone when it has been sent, in part or not at all.

    A background task of Starlette's would not run where the request asks for a range that the file does not have.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and remove the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            Path(self.path).unlink(missing_ok=True)


def write(connection: duckdb.DuckDBPyConnection, selection: Selection, catalogue: Catalogue, name: str) -> Path:
    """Write all columns of the selection, and its text, to a temporary file that the caller removes.

    The file is made whole, so that the store is not held open for as long as somebody takes to fetch it.

    Args:
        connection: the store, open for reading.
        selection: rows and order.
        catalogue: what the store has.
        name: a format of `FORMATS`. In CSV, text that begins like a formula gets an apostrophe before it; in JSON, what is
            no finite number is null.

    Raises:
        SelectionError: the selection does not fit the tables.
    """
    columns = list(catalogue.columns)
    wanted = statement(selection, catalogue, MOST_ROWS, columns)
    query = wanted.text
    if replaced := _replaced(catalogue, name):
        query = f"select * replace ({replaced}) from (\n{query}\n)"  # noqa: S608 - columns of the table, quoted
    with tempfile.NamedTemporaryFile(prefix="memtax-", suffix=f".{name}", delete=False) as file:
        path = Path(file.name)
    try:
        connection.execute(f"copy (\n{query}\n) to {literal(path)} ({FORMATS[name]})", wanted.parameters)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _replaced(catalogue: Catalogue, name: str) -> str:
    """What a format writes otherwise than the store has it, as SELECT takes it; empty if nothing."""
    if name == "csv":
        texts = [column for column, details in catalogue.columns.items() if details.kind == TEXT]
        texts += ["prompt_text", "continuation_text"] if catalogue.has_text else []
        return ", ".join(
            f"case when regexp_matches({text}, '{_FORMULA}') then '''' || {text} else {text} end as {text}"
            for text in map(identifier, texts)
        )
    if name == "json":
        # JSON has neither NaN nor infinities, and who reads it by the book stops at one.
        return ", ".join(
            f"{finite} as {identifier(column)}"
            for column, details in catalogue.columns.items()
            if (finite := finite_or_null(identifier(column), details.type)) is not None
        )
    return ""
