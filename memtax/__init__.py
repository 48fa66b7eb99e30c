"""memtax: a feature store for language-model memorization, kept in a warehouse."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("memtax")
except PackageNotFoundError:  # a checkout that has not been installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
