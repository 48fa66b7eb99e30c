"""Query tables: the windows that a scan counts, in an immutable file that SQL names by a handle.

No SQL argument can carry millions of windows, so `build_query_table` writes them once into a file that is named by its
content, and the functions of `udf/ngrams.py` take that file's path, the handle. The file is mapped read-only and shared
by all threads; the last few stay open.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memtax_native import QueryTable
from udf.errors import UdfError
from udf.registry import udf
from udf.settings import threads

SUFFIX = ".memtaxq"
_BATCH_ROWS = 65_536
_LENGTH_OF_EMPTY = 32


@udf([pa.string(), pa.string()], pa.string(), volatile=True)
def build_query_table(parquet_paths: pa.Array, folders: pa.Array) -> pa.Array:
    """Store the windows of a Parquet file (or of a folder of them) as a query table in a folder; return its handle.

    The files hold one column, a list of tokens per row, all of one length (8 to 128). Repeats count once, NULL rows not
    at all. The handle is the path of `<folder>/<digest>.memtaxq`; the same set of windows has the same digest, and a
    table that is there already is used again.

    Raises:
        UdfError: there is no such file, or its rows are not windows of one length.
    """
    handles = [
        None if path is None or folder is None else _build(Path(path), Path(folder))
        for path, folder in zip(parquet_paths.to_pylist(), folders.to_pylist(), strict=True)
    ]
    return pa.array(handles, pa.string())


class OpenTables:
    """The query tables that were used last, open; safe to use from several threads."""

    def __init__(self, capacity: int = 8) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._tables: OrderedDict[str, QueryTable] = OrderedDict()

    def get(self, handle: str) -> QueryTable:
        """The table behind a handle, opened (and checked for damage) where it is not open yet.

        Raises:
            UdfError: there is no such table, or the file is damaged.
        """
        with self._lock:
            table = self._tables.get(handle)
            if table is None:
                table = self._tables[handle] = _open(handle)
            self._tables.move_to_end(handle)
            while len(self._tables) > self._capacity:
                self._tables.popitem(last=False)
            return table


open_tables = OpenTables()


def _open(handle: str) -> QueryTable:
    try:
        return QueryTable.open(handle, threads=threads())
    except RuntimeError as error:
        raise UdfError(f"{error}; the handle must come from build_query_table()") from error


def _build(source: Path, folder: Path) -> str:
    table = QueryTable.build(_read_windows(source), threads())
    target = folder / f"{table.digest}{SUFFIX}"
    if not _is_intact(target):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            table.save(str(target), threads())
        except (OSError, RuntimeError) as error:
            raise UdfError(f"build_query_table() cannot write to {folder}: {error}") from error
    return str(target)


def _is_intact(target: Path) -> bool:
    if not target.exists():
        return False
    try:
        QueryTable.open(str(target), threads=threads())
    except RuntimeError:
        return False
    return True


def _read_windows(source: Path) -> np.ndarray:
    files = _open_files(source)
    rows = sum(file.metadata.num_rows for file in files)
    windows: np.ndarray | None = None
    filled = 0
    for name, batch in _batches(files):
        tokens, length = _check_batch(batch, name)
        if len(tokens) == 0:
            continue
        if windows is None:
            windows = np.empty((rows, length), dtype=tokens.dtype)
        if length != windows.shape[1]:
            raise UdfError(
                f"build_query_table() got windows of {windows.shape[1]} and of {length} tokens in {source}; all "
                "windows of a table have one length: build one table for each"
            )
        if tokens.dtype.itemsize > windows.dtype.itemsize:
            windows = windows.astype(tokens.dtype)
        windows[filled : filled + len(tokens)] = tokens
        filled += len(tokens)
    if windows is None:
        return np.empty((0, _LENGTH_OF_EMPTY), dtype=np.uint16)
    return windows[:filled]


def _open_files(source: Path) -> list[pq.ParquetFile]:
    paths = sorted(source.glob("*.parquet")) if source.is_dir() else [source]
    if not paths or not paths[0].exists():
        raise UdfError(f"build_query_table() found no Parquet file at {source}; write the windows there first")
    try:
        return [pq.ParquetFile(path, memory_map=True) for path in paths]
    except (OSError, pa.ArrowInvalid) as error:
        raise UdfError(f"build_query_table() cannot read {source}: {error}") from error


def _batches(files: list[pq.ParquetFile]) -> Iterator[tuple[str, pa.Array]]:
    """The windows' column, piece by piece, each with its name; one row group at a time is in memory."""
    for file in files:
        schema = file.schema_arrow
        if len(schema) != 1 or not _is_list(schema.field(0).type):
            raise UdfError(
                f"build_query_table() needs a file with a single column, a list of tokens, and got {schema.names} of "
                f"{[str(kind) for kind in schema.types]}"
            )
        for batch in file.iter_batches(_BATCH_ROWS):
            yield schema.names[0], batch.column(0)


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _check_batch(batch: pa.Array, name: str) -> tuple[np.ndarray, int]:
    """The windows of a batch as a matrix, and their length."""
    if not pa.types.is_integer(batch.type.value_type):
        raise UdfError(f"build_query_table() needs whole numbers as tokens; column {name} holds {batch.type}")
    if batch.null_count:
        batch = batch.drop_null()
    rows = len(batch)
    if rows == 0:
        return np.empty((0, 0), dtype=np.uint16), 0
    lengths = batch.value_lengths().to_numpy(zero_copy_only=False)
    length = int(lengths[0])
    if (lengths != length).any():
        other = int(lengths[lengths != length][0])
        raise UdfError(
            f"build_query_table() got windows of {length} and of {other} tokens in column {name}; all windows of a "
            "table have one length: build one table for each"
        )
    values = batch.flatten()  # no NULL rows are left, so this is exactly the rows' tokens
    if values.null_count:
        raise UdfError(f"build_query_table() got a NULL token in column {name}; a window is made of token ids")
    if not pa.types.is_uint16(values.type):
        try:
            values = values.cast(pa.uint32())
        except pa.ArrowInvalid as error:
            raise UdfError(f"build_query_table() got a token in column {name} that is no 32-bit id: {error}") from error
    if not 8 <= length <= 128:
        raise UdfError(f"build_query_table() got windows of {length} tokens in column {name}; it takes 8 to 128")
    return values.to_numpy().reshape(rows, length), length
