"""Parquet shards: zstd, sorted, each under a size limit, with the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from memtax.datasets.row_keys import RowKeys
from memtax.export.selection import ExportTable
from memtax.quoting import identifier

ROWS_IN_GROUP = 100_000
# Lists and texts make rows large: a group holds at most this much, so that one can be streamed without its neighbours.
BYTES_IN_GROUP = 64 * 2**20
BATCH_ROWS = 8_192
WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
# Numbers hardly repeat; names and categories do, and dictionaries make them small.
DICTIONARY_TYPES = (pa.types.is_string, pa.types.is_large_string, pa.types.is_boolean)


@dataclass
class WrittenTable:
    """The shards of one table.

    Attributes:
        table: what was written.
        schema: of its rows.
        files: paths relative to the export's folder, in order.
        n_rows: rows in all.
        n_bytes: their size in memory, as Parquet counts it before compression.
        download_bytes: the size of the files.
    """

    table: ExportTable
    schema: pa.Schema
    files: list[str] = field(default_factory=list)
    n_rows: int = 0
    n_bytes: int = 0
    download_bytes: int = 0


def write_table(
    connection: duckdb.DuckDBPyConnection, table: ExportTable, folder: Path, shard_bytes: int
) -> WrittenTable:
    """Write a table to `folder/<config>/<split>-00000-of-0000N.parquet`, sorted by its key.

    Rows stream from DuckDB, which sorts them on disk where they do not fit in memory; one row group is encoded while the
    next is read, so that two are held here. A new shard begins where the next group might lead past `shard_bytes`, and holds
    at least one group. An empty table is one file without rows.
    """
    reader = connection.execute(table.query + _order_by(connection, table)).to_arrow_reader(BATCH_ROWS)
    written = WrittenTable(table, reader.schema)
    shards = _Shards(folder / table.config, table.split, reader.schema, shard_bytes)
    with ThreadPoolExecutor(1) as encoder:
        encoding: Future[None] | None = None
        for group in _groups(reader):
            if encoding is not None:
                encoding.result()
            encoding = encoder.submit(shards.add, group)
        if encoding is not None:
            encoding.result()
    for path in shards.close():
        metadata = pq.read_metadata(path)
        written.files.append(str(path.relative_to(folder)))
        written.n_rows += metadata.num_rows
        written.n_bytes += sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        written.download_bytes += path.stat().st_size
    return written


def _groups(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """The rows in groups; at least one, which may be empty."""
    pending: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        pending.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= ROWS_IN_GROUP or size >= BYTES_IN_GROUP:
            yield pa.Table.from_batches(pending, reader.schema)
            pending, rows, size = [], 0, 0
    yield pa.Table.from_batches(pending, reader.schema)


def _order_by(connection: duckdb.DuckDBPyConnection, table: ExportTable) -> str:
    """ORDER BY the key, less what would change nothing: sorting takes longer than all the rest.

    A column that is the same in all rows (of one dataset, corpus or model) makes each comparison dearer; rows that come
    in order need none. Read again from a table, they come in the same order, since DuckDB preserves that of insertion;
    of joins that is not promised.
    """
    described = connection.execute(f"describe {table.query}").fetchall()
    types = {name: kind for name, kind, *_ in described}
    # The paper's columns are sorted by more than they show; of a column that is not shown nothing is known here.
    texts = [column for column in table.order if types.get(column) == "VARCHAR"]
    order = list(table.order)
    if texts:
        same = ", ".join(
            f"min({identifier(c)}) = max({identifier(c)}) and count({identifier(c)}) = count(*)" for c in texts
        )
        flags = connection.execute(f"select {same} from ({table.query})").fetchone()  # noqa: S608
        assert flags is not None
        constant = {column for column, flag in zip(texts, flags, strict=True) if flag}
        order = [column for column in table.order if column not in constant]
    if not order:
        return ""
    whole = len(order) <= 2 and all(types.get(column) in WHOLE for column in order)
    if whole and " join " not in table.query and _ascends(connection, table, order):
        return ""
    return f" order by {', '.join(identifier(column) for column in order)}"


def _ascends(connection: duckdb.DuckDBPyConnection, table: ExportTable, order: Sequence[str]) -> bool:
    """Whether the rows, as they come, are sorted by one or two whole numbers that tell them apart."""
    before: tuple[int, int] | None = None
    listed = ", ".join(f"cast({identifier(column)} as bigint)" for column in order)
    for batch in connection.execute(f"select {listed} from ({table.query})").to_arrow_reader(ROWS_IN_GROUP):  # noqa: S608
        if any(column.null_count for column in batch.columns):
            return False
        numbers = [column.to_numpy() for column in batch.columns]
        keys = RowKeys(numbers[0], numbers[1] if len(numbers) > 1 else None)
        ends = [(int(numbers[0][i]), int(numbers[-1][i])) for i in (0, -1)]
        if not keys.ascends or (before is not None and before >= ends[0]):
            return False
        before = ends[1]
    return True


class _Shards:
    def __init__(self, folder: Path, split: str, schema: pa.Schema, limit: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._split, self._schema, self._limit = folder, split, schema, limit
        self._paths: list[Path] = []
        self._writer: pq.ParquetWriter | None = None
        self._sink: pa.NativeFile | None = None
        self._largest_group = self._groups = 0

    def add(self, group: pa.Table) -> None:
        if self._writer is not None and group.num_rows == 0:
            return
        while self._sink is not None and self._sink.tell() + self._largest_group > self._limit:
            self._finish()
        if self._writer is None:
            self._start()
        self._write(group)

    def close(self) -> list[Path]:
        while self._writer is not None:
            self._finish()
        named = []
        for index, path in enumerate(self._paths):
            final = self._folder / f"{self._split}-{index:05d}-of-{len(self._paths):05d}.parquet"
            named.append(path.rename(final))
        return named

    def _start(self) -> None:
        path = self._folder / f"{self._split}-{len(self._paths):05d}.part"
        self._paths.append(path)
        self._groups = 0
        self._open(path)

    def _open(self, path: Path) -> None:
        self._sink = pa.OSFile(str(path), "wb")
        dictionaries = [
            column.name for column in self._schema if any(is_type(column.type) for is_type in DICTIONARY_TYPES)
        ]
        self._writer = pq.ParquetWriter(
            self._sink, self._schema, compression="zstd", use_dictionary=dictionaries, write_page_index=True
        )

    def _write(self, group: pa.Table) -> None:
        assert self._writer is not None and self._sink is not None
        before = self._sink.tell()
        if group.num_rows:
            self._writer.write_table(group, row_group_size=group.num_rows)
        self._groups += 1
        self._largest_group = max(self._largest_group, self._sink.tell() - before)

    def _finish(self) -> None:
        """Close the shard; a group that led past the limit after all begins the next one."""
        self._close()
        path = self._paths[-1]
        if self._groups > 1 and path.stat().st_size > self._limit:
            last = self._take_last_group(path)
            self._start()
            self._write(last)

    def _take_last_group(self, path: Path) -> pa.Table:
        # Seldom: it was larger than all before it. What is written again is the same, so the bytes are too.
        whole = path.with_suffix(".whole")
        path.rename(whole)
        with pq.ParquetFile(whole) as file:
            kept = file.num_row_groups - 1
            self._open(path)
            assert self._writer is not None
            for index in range(kept):
                group = file.read_row_group(index)
                self._writer.write_table(group, row_group_size=group.num_rows)
            last = file.read_row_group(kept)
        self._close()
        whole.unlink()
        return last

    def _close(self) -> None:
        if self._writer is not None and self._sink is not None:
            self._writer.close()
            self._sink.close()
        self._writer = self._sink = None
