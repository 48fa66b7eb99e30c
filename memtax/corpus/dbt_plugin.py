"""The hook that profiles.yml names: every cursor of dbt's sees the corpora that are scanned in place."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from memtax.corpus.in_place import attach


class Plugin(BasePlugin):
    """Attaches the in-place shards."""

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Attach to one cursor: what is registered on a connection is not seen by its cursors."""
        attach(cursor)
