"""Where a Spark build keeps what it writes: beside the database, so that no working folder is littered."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from memtax.project import database_path

FOLDER_VARIABLE = "MEMTAX_SPARK_FOLDER"
# Spark's setting of where its catalogue is.
CATALOGUE = "spark.hadoop.javax.jdo.option.ConnectionURL"
# Where it names a server, that server's catalogue is the one.
CATALOGUE_SERVER = "spark.hadoop.hive.metastore.uris"


@dataclass(frozen=True)
class SparkFolders:
    """The folders of one store's Spark build.

    Attributes:
        root: `<database>.spark`, or what MEMTAX_SPARK_FOLDER names. On a cluster every node must see it under this path.
    """

    root: Path

    @property
    def raw(self) -> Path:
        """The raw tables, as Parquet."""
        return self.root / "raw"

    @property
    def warehouse(self) -> Path:
        """The tables that dbt builds; a folder for each schema."""
        return self.root / "warehouse"

    @property
    def metastore(self) -> Path:
        """Spark's catalogue of the tables, unless the configuration names one."""
        return self.root / "metastore"

    @property
    def unfinished(self) -> Path:
        """A file that is there while tables may be of different builds; in it, what those that did not end were asked for."""
        return self.root / "unfinished"

    @property
    def scratch(self) -> Path:
        """Query tables and the like, as long as a build runs."""
        return self.root / "scratch"

    @property
    def target(self) -> Path:
        """What dbt compiles, and its logs: those of the other engine stay."""
        return self.root / "target"


def spark_folders() -> SparkFolders:
    """The folders of the store that `MEMTAX_DATABASE` names."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return SparkFolders(Path(named).expanduser().resolve())
    path = database_path().resolve()
    return SparkFolders(path.with_name(f"{path.name}.spark"))
