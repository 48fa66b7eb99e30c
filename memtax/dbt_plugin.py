"""The hook that profiles.yml names: dbt opens the store that every command opens, and sees the corpora scanned in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from memtax import store
from memtax.corpus.in_place import attach
from memtax.errors import StoreError
from memtax.memory import limit_memory
from memtax.models.verify import model_fault, tokenizer_fault
from memtax.taxonomy.expression import expression_fault

FAULTS = {"model_fault": model_fault, "tokenizer_fault": tokenizer_fault, "expression_fault": expression_fault}
IN_MEMORY = ":memory:"


class Plugin(BasePlugin):
    """Settles the database's path, says who holds it, and attaches the in-place shards."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Make a relative path relative to the project's folder: DuckDB would take dbt's working folder instead."""
        if self.creds is None or self.creds.path == IN_MEMORY:
            return
        from dbt.flags import get_flags

        # An absolute path on the right of a slash stays as it is.
        path = Path(get_flags().PROJECT_DIR).resolve() / Path(self.creds.path).expanduser()
        self.creds.path = str(path)
        try:
            store.require_unlocked(path)
        except StoreError as error:
            raise DbtRuntimeError(str(error)) from error

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Limit the memory, and register what models ask before they load a model or a tokenizer, or take someone's SQL.

        (macros/registered_files.sql, macros/own_category.sql)
        """
        try:
            limit_memory(conn)
        except StoreError as error:  # of a database in memory; one in a file was opened before
            raise DbtRuntimeError(str(error)) from error
        for name, fault in FAULTS.items():
            conn.create_function(
                name, fault, ["VARCHAR", "VARCHAR"], "VARCHAR", null_handling="special", side_effects=True
            )  # type: ignore[call-overload]  # its stub knows no strings for types

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Attach to one cursor: what is registered on a connection is not seen by its cursors."""
        attach(cursor)
