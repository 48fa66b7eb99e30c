"""A selection as a file: CSV, JSON or Parquet."""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from memtax.explorer.catalogue import TEXT, Catalogue
from memtax.explorer.selection import Selection, statement
from memtax.query.output import FORMATS
from memtax.quoting import identifier, literal

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
# A page is no place to move a store: what is more goes through memtax query or memtax export.
MOST_ROWS = 200_000
# What a spreadsheet would take for a formula.
_FORMULA = "^[=+\\-@\\t\\r]"


def write(connection: duckdb.DuckDBPyConnection, selection: Selection, catalogue: Catalogue, name: str) -> Path:
    """Write all columns of the selection, and its text, to a temporary file that the caller removes.

    The file is made whole, so that the store is not held open for as long as somebody takes to fetch it.

    Args:
        connection: the store, open for reading.
        selection: rows and order.
        catalogue: what the store has.
        name: a format of `FORMATS`. In CSV, text that begins like a formula gets an apostrophe before it.

    Raises:
        SelectionError: the selection does not fit the tables.
    """
    columns = list(catalogue.columns)
    wanted = statement(selection, catalogue, MOST_ROWS, columns)
    query = wanted.text
    if name == "csv":
        texts = [column for column, details in catalogue.columns.items() if details.kind == TEXT]
        texts += ["prompt_text", "continuation_text"] if catalogue.has_text else []
        guarded = ", ".join(
            f"case when regexp_matches({name}, '{_FORMULA}') then '''' || {name} else {name} end as {name}"
            for name in map(identifier, texts)
        )
        query = f"select * replace ({guarded}) from (\n{query}\n)"  # noqa: S608 - columns of the table, quoted
    with tempfile.NamedTemporaryFile(prefix="memtax-", suffix=f".{name}", delete=False) as file:
        path = Path(file.name)
    try:
        connection.execute(f"copy (\n{query}\n) to {literal(path)} ({FORMATS[name]})", wanted.parameters)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
