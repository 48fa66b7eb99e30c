"""Parquet and Arrow files with a list column of token ids, and maybe a column that names the sequences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from memtax.corpus.batch import TOKEN_TYPES, TokenBatch
from memtax.corpus.source import Source, SourceOptions, type_of_width
from memtax.errors import SourceError

TOKEN_COLUMNS = ("tokens", "Tokens", "input_ids", "token_ids")
ID_COLUMNS = ("sequence_id", "index", "Index", "sequence")
BATCH_ROWS = 1024


class ListColumnSource(Source):
    """Parquet or Arrow files of one schema, read a batch at a time."""

    format = "parquet"

    def __init__(self, paths: Sequence[Path], options: SourceOptions) -> None:
        self.paths = tuple(paths)
        self._length = options.sequence_length
        schema = _read_schema(self.paths[0])
        self._tokens = _token_column(schema, self.paths[0])
        self._ids = next((name for name in ID_COLUMNS if name in schema.names), None)
        self._columns = [self._tokens, *([self._ids] if self._ids else [])]
        for path in self.paths:
            _require_columns(_read_schema(path), schema, self._columns, path, self.paths[0])
        self._type = np.dtype(schema.field(self._tokens).type.value_type.to_pandas_dtype())
        self._rows = sum(_count_rows(path) for path in self.paths)
        if self._rows == 0:
            raise SourceError(f"{self.paths[0]} holds no rows; there is nothing to land")
        self.shape = {"format": "parquet", "tokens": self._tokens, "sequence_id": self._ids}

    def batches(self) -> Iterator[TokenBatch]:
        """See Source."""
        row = 0
        for path in self.paths:
            first_row = row
            for batch in _read_batches(path, self._columns):
                yield self._convert(batch, row - first_row, path)
                row += batch.num_rows
                self.share_read = row / self._rows

    def stored_type(self) -> np.dtype:
        """See Source."""
        implied = type_of_width(self._type)
        if implied is not None:
            return implied
        largest = 0
        for path in self.paths:
            stated = _largest_by_statistics(path, self._tokens)
            if stated is None:
                return self.largest_id_type()
            largest = max(largest, stated)
        return TOKEN_TYPES["uint16" if largest <= np.iinfo(np.uint16).max else "uint32"]

    def _convert(self, batch: pa.RecordBatch, row: int, path: Path) -> TokenBatch:
        lists = batch.column(0)
        if lists.null_count:
            first = row + lists.is_null().to_pylist().index(True)
            raise SourceError(f"{path} has no tokens (NULL) in row {first}; drop the row, or write an empty list")
        if pa.types.is_fixed_size_list(lists.type):
            lists = lists.cast(pa.list_(lists.type.value_type))
        offsets = lists.offsets.to_numpy().astype(np.int64)
        values = lists.values.slice(offsets[0], offsets[-1] - offsets[0])
        offsets -= offsets[0]
        if values.null_count:
            place = values.is_null().to_pylist().index(True)
            first = row + int(np.searchsorted(offsets, place, side="right")) - 1
            raise SourceError(f"{path} has a NULL among the tokens of row {first}; token ids are never NULL")
        if self._length is not None and (np.diff(offsets) != self._length).any():
            first = int(np.argmax(np.diff(offsets) != self._length))
            raise SourceError(
                f"{path} has {offsets[first + 1] - offsets[first]:,} tokens in row {row + first}, expected "
                f"--sequence-length {self._length:,}; leave --sequence-length out to land sequences as they are"
            )
        return TokenBatch(values.to_numpy(), offsets, self._named(batch, row, path))

    def _named(self, batch: pa.RecordBatch, row: int, path: Path) -> np.ndarray | None:
        if self._ids is None:
            return None
        ids = batch.column(1)
        if ids.null_count:
            first = row + ids.is_null().to_pylist().index(True)
            raise SourceError(f"{path} has no {self._ids} (NULL) in row {first}; every sequence needs one")
        numbers = ids.to_numpy().astype(np.int64)
        if (numbers < 0).any():
            first = int(np.argmax(numbers < 0))
            raise SourceError(f"{path} has {self._ids} {numbers[first]} in row {row + first}; ids are never negative")
        return numbers


def open_source(paths: Sequence[Path], options: SourceOptions, format_name: str) -> ListColumnSource:
    """Open Parquet or Arrow (IPC file or stream) files as one stream.

    Raises:
        SourceError: unreadable, no list column of integers, or the files' columns differ.
    """
    return ListColumnSource(paths, options)


def _token_column(schema: pa.Schema, path: Path) -> str:
    lists = {
        field.name: field.type
        for field in schema
        if pa.types.is_list(field.type) or pa.types.is_large_list(field.type) or pa.types.is_fixed_size_list(field.type)
    }
    name = next((name for name in TOKEN_COLUMNS if name in lists), None)
    if name is None and len(lists) == 1:
        name = next(iter(lists))
    if name is None:
        found = ", ".join(f"{field.name} {field.type}" for field in schema)
        raise SourceError(
            f"{path} has the columns {found}; expected a list column named one of {', '.join(TOKEN_COLUMNS)}"
        )
    if not pa.types.is_integer(lists[name].value_type):
        raise SourceError(f"{path} has {name} as {lists[name]}; token ids must be integers")
    return name


def _require_columns(schema: pa.Schema, first: pa.Schema, columns: Sequence[str], path: Path, first_path: Path) -> None:
    for name in columns:
        expected = first.field(name).type
        found = schema.field(name).type if name in schema.names else None
        if found != expected:
            raise SourceError(
                f"{path} has {name} as {found or 'no column'}, but {first_path} as {expected}; land them in calls of "
                "their own, the second with --append"
            )
        if name in ID_COLUMNS and not pa.types.is_integer(expected):
            raise SourceError(f"{path} has {name} as {expected}; sequence ids must be integers")


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _open_arrow(path: Path) -> Any:
    mapped = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(mapped)
    except pa.ArrowInvalid:
        mapped.seek(0)
        return pa.ipc.open_stream(mapped)


def _read_schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path) if _is_parquet(path) else _open_arrow(path).schema
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"{path} cannot be read as Parquet or Arrow ({str(error).splitlines()[0]}); it may be truncated"
        ) from error


def _count_rows(path: Path) -> int:
    if _is_parquet(path):
        return pq.read_metadata(path).num_rows
    return sum(batch.num_rows for batch in _arrow_batches(path))


def _arrow_batches(path: Path) -> Iterator[pa.RecordBatch]:
    reader = _open_arrow(path)
    if isinstance(reader, pa.RecordBatchFileReader):
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
    else:
        yield from reader


def _read_batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        if _is_parquet(path):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                    yield batch.select(columns)
        else:
            for batch in _arrow_batches(path):
                for first in range(0, batch.num_rows, BATCH_ROWS):
                    yield batch.slice(first, BATCH_ROWS).select(columns)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path} cannot be read to its end ({str(error).splitlines()[0]}); it is damaged") from error


def _largest_by_statistics(path: Path, column: str) -> int | None:
    """The largest id as the Parquet footer states it; None where it does not."""
    if not _is_parquet(path):
        return None
    metadata = pq.read_metadata(path)
    largest = []
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index in range(row_group.num_columns):
            chunk = row_group.column(index)
            if chunk.path_in_schema.split(".")[0] != column:
                continue
            if chunk.statistics is None or not chunk.statistics.has_min_max:
                return None
            largest.append(int(chunk.statistics.max))
    return max(largest) if largest else None
