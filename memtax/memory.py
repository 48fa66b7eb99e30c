"""How much memory DuckDB may take, and where it puts what does not fit: for dbt and for every command alike.

The limit holds for DuckDB alone. Batches on their way to and from UDFs, native code (query tables, similarity codes), language
models and the taxonomy's arrays lie beside it: docs/footguns.md says how much.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from memtax.errors import StoreError
from memtax.quoting import literal

LIMIT_VARIABLE = "MEMTAX_MEMORY_LIMIT"
SPILL_VARIABLE = "MEMTAX_SPILL_FOLDER"


def limit_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Give `connection`'s database the limit and the folder that the environment names; where it names none, nothing changes.

    DuckDB's own choice is 80 % of the machine's memory, and `DATABASE.tmp` beside the database.

    Raises:
        StoreError: the limit is no size, or the folder cannot be made.
    """
    limit = os.environ.get(LIMIT_VARIABLE, "").strip()
    if limit:
        try:
            connection.execute(f"set memory_limit = {literal(limit)}")
        except duckdb.Error as error:
            raise StoreError(
                f"{LIMIT_VARIABLE} is {limit!r}; expected a size with its unit, such as 2GB or 512MiB"
            ) from error
    folder = os.environ.get(SPILL_VARIABLE, "").strip()
    if folder:
        path = Path(folder).expanduser().absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{SPILL_VARIABLE}={folder} cannot be made: {error}; name a folder to write to") from error
        connection.execute(f"set temp_directory = {literal(path)}")


def describe_memory(database: Path) -> str:
    """In words: DuckDB's limit for `database`, what set it, and where it spills to.

    Raises:
        StoreError: see `limit_memory`.
    """
    with duckdb.connect() as connection:
        limit_memory(connection)
        limit, folder = connection.execute(
            "select current_setting('memory_limit'), current_setting('temp_directory')"
        ).fetchone()  # type: ignore[misc]
    chosen = (
        f"{LIMIT_VARIABLE} says so" if os.environ.get(LIMIT_VARIABLE, "").strip() else f"{LIMIT_VARIABLE} sets less"
    )
    if not os.environ.get(SPILL_VARIABLE, "").strip():
        folder = f"{database}.tmp"
    return f"DuckDB takes up to {limit} ({chosen}), and spills what is more to {folder}"
