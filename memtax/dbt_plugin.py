"""The hook that profiles.yml names: dbt opens the store that every command opens, and sees the corpora scanned in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from memtax.corpus.in_place import attach

IN_MEMORY = ":memory:"


class Plugin(BasePlugin):
    """Settles the database's path, and attaches the in-place shards."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Make a relative path relative to the project's folder: DuckDB would take dbt's working folder instead."""
        if self.creds is None or self.creds.path == IN_MEMORY or Path(self.creds.path).is_absolute():
            return
        from dbt.flags import get_flags

        self.creds.path = str(Path(get_flags().PROJECT_DIR).resolve() / self.creds.path)

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Attach to one cursor: what is registered on a connection is not seen by its cursors."""
        attach(cursor)
