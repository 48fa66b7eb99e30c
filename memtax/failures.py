"""What neither a command nor a page foresees and no bug explains, in words: a disk, a permission, a store of another version."""

from __future__ import annotations

import errno
import sys


def in_words(error: Exception) -> str | None:
    """One message for an error of the system or of DuckDB: what came, and what to do; None where a traceback says more."""
    if isinstance(error, OSError):
        return _of_system(error)
    # An error of a module that was never imported cannot have been raised, and importing takes time.
    duckdb = sys.modules.get("duckdb")
    if duckdb is None or not isinstance(error, duckdb.Error):
        return None
    line = next(iter(str(error).splitlines()), type(error).__name__)
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException)):
        return (
            f"the store's tables are not as expected ({line}); another version of memtax may have made them: run dbt run, "
            "then this again"
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"DuckDB's memory does not suffice ({line}); set MEMTAX_MEMORY_LIMIT to more, or leave it out"
    if isinstance(error, duckdb.IOException):
        return f"a file cannot be read or written ({line}); check that it is whole, and that the disk has room"
    return None


def _of_system(error: OSError) -> str | None:
    # Arrow's errors have the file in their text, and a detail behind it that repeats the number.
    said = (error.strerror or "").split(". Detail:")[0]
    place = f"{error.filename}: {said}" if error.filename is not None else said
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{place}; make room, or name a place on another disk"
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{place}; check that it is there, and that you may read and write it"
    if error.errno in (errno.ENAMETOOLONG, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY):
        return f"{place}; name another place"
    if error.errno == errno.EIO:
        return f"{place}; the disk does not answer as it should"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{place}; allow more open files (ulimit -n)"
    # Of a network or a pipe: its library says more.
    return None
