"""The hook that profiles.yml names: dbt-duckdb hands it each database that it opens, to have the UDFs registered."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from udf.engine_duckdb import register


class Plugin(BasePlugin):
    """Registers memtax's UDFs."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register on the connection that dbt's cursors are made from."""
        register(conn)
