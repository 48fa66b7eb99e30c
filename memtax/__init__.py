"""memtax: a feature store for language-model memorization, kept in a warehouse.

`memtax.connect()` opens the store for reading, `memtax.features()` gives its features as a lazy ibis table.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memtax.session import connect, features

try:
    __version__ = version("memtax")
except PackageNotFoundError:  # a checkout that has not been installed
    __version__ = "0+unknown"

__all__ = ["__version__", "connect", "features"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for, so that `memtax --help` need not wait for DuckDB.
    if name in ("connect", "features"):
        from memtax import session

        return getattr(session, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
