"""Keeping a build's folder in order: one build at a time, and nothing left of a killed one that would stop the next."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from memtax.errors import StoreLockedError
from memtax.spark.folders import CATALOGUE, CATALOGUE_SERVER, SparkFolders

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def only_build(folders: SparkFolders) -> Iterator[None]:
    """Hold the folder for one build or export.

    Raises:
        StoreLockedError: another one holds it.
    """
    folders.root.mkdir(parents=True, exist_ok=True)
    with (folders.root / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreLockedError(
                f"another memtax spark build or export is at work in {folders.root}; wait until it is done, or stop it"
            ) from error
        yield


def sweep(session: SparkSession, folders: SparkFolders) -> list[str]:
    """Delete the files of tables that a killed build began: Spark makes no table where files are.

    Only where the catalogue is the folder's own: to another one, tables of this warehouse may be unknown.

    Returns:
        the tables, as `schema.table`.
    """
    if session.conf.get(CATALOGUE_SERVER, "") or str(folders.metastore) not in session.conf.get(CATALOGUE, ""):
        return []
    swept = []
    for schema in sorted(folders.warehouse.glob("*.db")):
        name = schema.name.removesuffix(".db")
        if not session.catalog.databaseExists(name):
            continue
        known = {row.tableName for row in session.sql(f"show tables in `{name}`").collect()}
        for table in schema.iterdir():
            if table.name.lower() not in known:
                shutil.rmtree(table)
                swept.append(f"{name}.{table.name}")
    return swept
