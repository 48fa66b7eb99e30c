"""Query tables: the windows that a scan counts, in an immutable file that SQL names by a handle.

No SQL argument can carry millions of windows, so `build_query_table` writes them once into a file that is named by its
content, and the functions of `udf/ngrams.py` take that file's path, the handle. The file is mapped read-only and shared
by all threads; the last few stay open. Windows of several lengths make a table for each, under one handle, so that one
pass over a corpus counts them all.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memtax_native import QueryTable
from udf.errors import UdfError
from udf.handles import located
from udf.registry import udf
from udf.settings import threads

SUFFIX = ".memtaxq"
_BATCH_ROWS = 65_536
_LENGTH_OF_EMPTY = 32


@udf([pa.string(), pa.string()], pa.string(), volatile=True)
def build_query_table(parquet_paths: pa.Array, folders: pa.Array) -> pa.Array:
    """Store the windows of a Parquet file (or of a folder of them) as a query table in a folder; return its handle.

    The files hold one column, a list of 8 to 128 tokens per row. Repeats count once, NULL rows not at all. The handle is
    the path of `<folder>/<digest>.memtaxq`; the same set of windows has the same digest, and a table that is there
    already is used again. Windows of several lengths make a table for each: the handle then has their digests joined by
    `+`, shortest windows first.

    Raises:
        UdfError: there is no such file, or its rows are not windows.
    """
    handles = [
        None if path is None or folder is None else _build(Path(path), Path(folder))
        for path, folder in zip(parquet_paths.to_pylist(), folders.to_pylist(), strict=True)
    ]
    return pa.array(handles, pa.string())


@dataclass(frozen=True)
class QueryTables:
    """What a handle stands for: one query table for each length of windows.

    Attributes:
        tables: shortest windows first.
        first_index: (len(tables),) what the indices of each table begin at; those of a handle are unique.
    """

    tables: tuple[QueryTable, ...]
    first_index: tuple[int, ...]

    def __len__(self) -> int:
        return sum(len(table) for table in self.tables)


class OpenTables:
    """The query tables that were used last, open; safe to use from several threads."""

    def __init__(self, capacity: int = 8) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._tables: OrderedDict[str, QueryTables] = OrderedDict()

    def get(self, handle: str) -> QueryTables:
        """The tables behind a handle, opened (and checked for damage) where they are not open yet.

        Raises:
            UdfError: there is no such table, or the file is damaged.
        """
        with self._lock:
            tables = self._tables.get(handle)
            if tables is None:
                tables = self._tables[handle] = _open(handle)
            self._tables.move_to_end(handle)
            while len(self._tables) > self._capacity:
                self._tables.popitem(last=False)
            return tables


open_tables = OpenTables()


def _open(handle: str) -> QueryTables:
    path = Path(handle)
    try:
        tables = tuple(
            QueryTable.open(str(located(path.with_name(f"{digest}{SUFFIX}"))), threads=threads())
            for digest in path.name.removesuffix(SUFFIX).split("+")
        )
    except RuntimeError as error:
        raise UdfError(f"{error}; the handle must come from build_query_table()") from error
    return QueryTables(tables, tuple(accumulate((len(table) for table in tables[:-1]), initial=0)))


def _build(source: Path, folder: Path) -> str:
    digests = []
    for windows in _read_windows(source):
        table = QueryTable.build(windows, threads())
        digests.append(table.digest)
        target = folder / f"{table.digest}{SUFFIX}"
        if _is_intact(target):
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            table.save(str(target), threads())
        except (OSError, RuntimeError) as error:
            raise UdfError(f"build_query_table() cannot write to {folder}: {error}") from error
    return str(folder / f"{'+'.join(digests)}{SUFFIX}")


def _is_intact(target: Path) -> bool:
    if not target.exists():
        return False
    try:
        QueryTable.open(str(target), threads=threads())
    except RuntimeError:
        return False
    return True


def _read_windows(source: Path) -> list[np.ndarray]:
    """The windows as a matrix for each length, shortest first; an empty one where there are none."""
    files = _open_files(source)
    rows = sum(file.metadata.num_rows for file in files)
    windows: dict[int, np.ndarray] = {}
    filled: dict[int, int] = {}
    for name, batch in _batches(files):
        for tokens in _check_batch(batch, name):
            n, length = tokens.shape
            if length not in windows:
                # Room for all rows: memory that is never written to costs nothing.
                windows[length], filled[length] = np.empty((rows, length), dtype=tokens.dtype), 0
            begin, room = filled[length], windows[length]
            if tokens.dtype.itemsize > room.dtype.itemsize:
                windows[length] = np.empty((rows, length), dtype=tokens.dtype)
                windows[length][:begin] = room[:begin]
            windows[length][begin : begin + n] = tokens
            filled[length] += n
    if not windows:
        return [np.empty((0, _LENGTH_OF_EMPTY), dtype=np.uint16)]
    return [windows[length][: filled[length]] for length in sorted(windows)]


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


def _check_batch(batch: pa.Array, name: str) -> Iterator[np.ndarray]:
    """The windows of a batch, as one matrix for each length."""
    if not pa.types.is_integer(batch.type.value_type):
        raise UdfError(f"build_query_table() needs whole numbers as tokens; column {name} holds {batch.type}")
    if batch.null_count:
        batch = batch.drop_null()
    lengths = batch.value_lengths().to_numpy(zero_copy_only=False)
    for length in np.unique(lengths).tolist():
        if not 8 <= length <= 128:
            raise UdfError(f"build_query_table() got windows of {length} tokens in column {name}; it takes 8 to 128")
        chosen = lengths == length
        alike = batch if chosen.all() else batch.filter(pa.array(chosen))
        yield _tokens(alike.flatten(), name).reshape(-1, length)  # no NULL rows are left: exactly the rows' tokens


def _tokens(values: pa.Array, name: str) -> np.ndarray:
    if values.null_count:
        raise UdfError(f"build_query_table() got a NULL token in column {name}; a window is made of token ids")
    if not pa.types.is_uint16(values.type):
        try:
            values = values.cast(pa.uint32())
        except pa.ArrowInvalid as error:
            raise UdfError(f"build_query_table() got a token in column {name} that is no 32-bit id: {error}") from error
    return values.to_numpy()
