"""A connection as people use it: the store opened for reading, with UDFs and the corpora that are scanned in place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from memtax import store


@contextmanager
def reading_session() -> Iterator[duckdb.DuckDBPyConnection]:
    """The store, read-only, with the UDFs that have no effects and the in-place corpora; closed at the end.

    Raises:
        StoreError, StoreLockedError: see `memtax.store.connect`.
    """
    import udf
    from memtax.corpus.in_place import attach

    with store.reading() as connection:
        # A query reads local files, and fetches nothing.
        connection.execute("set autoinstall_known_extensions = false; set autoload_known_extensions = false")
        udf.register(connection, with_effects=False)
        attach(connection)
        yield connection
