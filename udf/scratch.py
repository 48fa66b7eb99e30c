"""A folder for the files that a scan hands to its UDFs, which disappears with the process that asked for it."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path

import pyarrow as pa

from udf.errors import UdfError
from udf.registry import udf


@udf([pa.string()], pa.string(), volatile=True)
def scratch_folder(databases: pa.Array) -> pa.Array:
    """The scratch folder beside a database file, emptied and made the first time that this process asks.

    Whatever an earlier process left there (it was killed) goes: a database has one writer at a time.

    Raises:
        UdfError: the folder cannot be made.
    """
    return pa.array([None if name is None else _make(name) for name in databases.to_pylist()], pa.string())


@cache
def _make(database: str) -> str:
    folder = Path(f"{Path(database).absolute()}.scratch")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise UdfError(
            f"the scratch folder {folder} cannot be made ({error}); free the place beside the database"
        ) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(folder)
