"""Every error that memtax raises on purpose.

    MemtaxError                 anything below: the command line prints it without a traceback and exits with 1
    ├── ProjectError            no dbt project, a broken dbt_project.yml, a var of the wrong kind
    ├── StoreError              the database is missing, or its tables are not as expected
    │   └── StoreLockedError    another process is writing
    ├── SelectionError          the explorer was asked for rows by a column, an operator or a value that does not fit
    ├── SourceError             a file to ingest is missing, truncated, empty or not what its format says
    └── MissingExtraError       an optional dependency is not installed

A message says what was found, what was expected, and what to do next.
"""

from __future__ import annotations


class MemtaxError(Exception):
    """The base of every error that memtax raises on purpose."""


class ProjectError(MemtaxError):
    """The dbt project could not be found or read."""


class StoreError(MemtaxError):
    """The database does not hold what was asked for."""


class StoreLockedError(StoreError):
    """Another process holds the database open for writing."""


class SelectionError(MemtaxError):
    """The explorer was asked for rows in a way that does not fit the tables."""


class SourceError(MemtaxError):
    """Something that was to be ingested cannot be: the message names the file and the place in it."""


class MissingExtraError(MemtaxError):
    """A feature needs packages that are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs packages that are not installed: run pip install 'memtax[{extra}]'")
