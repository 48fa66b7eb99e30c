"""The way back: the marts that were built on Spark, in the DuckDB store."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from memtax import store
from memtax.errors import StoreError
from memtax.quoting import literals
from memtax.spark.folders import SparkFolders, spark_folders
from memtax.spark.warehouse import only_build

SCHEMA = "main"


def export_marts(folders: SparkFolders | None = None) -> dict[str, int]:
    """Put every mart that was built into the store, in one transaction; tables of the same names are replaced.

    What models of another version of memtax have left beside them stays there.

    Returns:
        the rows of each table.

    Raises:
        StoreError: nothing was built, or the last build did not finish, so that tables are of different builds.
        StoreLockedError: another process holds the store, or a build is at work.
    """
    folders = folders or spark_folders()
    if not built_tables(folders):
        raise StoreError(f"nothing was built on Spark yet: {folders.warehouse} has no table; run memtax spark build")
    # No build may put other files in the place of those that are read here.
    with only_build(folders):
        if folders.unfinished.exists():
            raise StoreError(
                f"a memtax spark build in {folders.root} failed or was stopped, so that its tables may not fit together; run "
                "memtax spark build until it succeeds (what is computed stays), then export"
            )
        return _exported(folders)


def _exported(folders: SparkFolders) -> dict[str, int]:
    tables, types = built_tables(folders), _types(folders)
    found = {}
    with store.writing() as connection:
        for table in sorted(tables.keys() & types.keys()):
            _drop(connection, table)
            select = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in types[table].items()) or "*"
            rows = f"read_parquet([{literals(tables[table])}])"
            connection.execute(f'create table {SCHEMA}."{table}" as select {select} from {rows}')  # noqa: S608
            count = connection.execute(f'select count(*) from {SCHEMA}."{table}"').fetchone()  # noqa: S608
            found[table] = count[0] if count else 0
    return found


def built_tables(folders: SparkFolders) -> dict[str, list[Path]]:
    """The marts on Spark that are complete, and the Parquet files of each."""
    folder = folders.warehouse / f"{SCHEMA}.db"
    if not folder.is_dir():
        return {}
    return {
        table.name: sorted(table.glob("*.parquet"))
        for table in sorted(folder.iterdir())
        if (table / "_SUCCESS").is_file()
    }


def _types(folders: SparkFolders) -> dict[str, dict[str, str]]:
    """The types that the models' contracts name, by table and column."""
    path = folders.target / "manifest.json"
    if not path.is_file():
        raise StoreError(f"{path}, which names the types of the tables, is gone; run memtax spark build again")
    nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"].values()
    return {
        node["name"]: {name: column["data_type"] for name, column in node["columns"].items() if column["data_type"]}
        for node in nodes
        if node["resource_type"] == "model" and node["schema"] == SCHEMA
    }


def _drop(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    kind = connection.execute(
        "select table_type from information_schema.tables where table_schema = ? and table_name = ?", [SCHEMA, table]
    ).fetchone()
    if kind is not None:
        connection.execute(f'drop {"view" if kind[0] == "VIEW" else "table"} {SCHEMA}."{table}"')
