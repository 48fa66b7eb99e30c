"""The hook that profiles.yml names: dbt-duckdb hands it each database that it opens, to have the UDFs registered."""

from __future__ import annotations

from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from udf.allocator import keep_freed_memory
from udf.engine_duckdb import register


class Plugin(BasePlugin):
    """Registers memtax's UDFs, in a process whose allocator suits them."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Before the first batch: DuckDB frees what it hands to a UDF after each one."""
        keep_freed_memory()

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Register on the connection that dbt's cursors are made from."""
        register(conn)
