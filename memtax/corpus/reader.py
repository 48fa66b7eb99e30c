"""Sequences and windows of a corpus by id, wherever the tokens are: in the store or in their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from memtax.corpus.layout import open_layout
from memtax.corpus.shards import LANDED, Shard, require_corpus, shards_of
from memtax.errors import StoreError

WINDOWS_AT_ONCE = 65_536


def read_sequences(
    connection: duckdb.DuckDBPyConnection, corpus: str, sequence_ids: Sequence[int]
) -> dict[int, npt.NDArray[np.unsignedinteger]]:
    """Whole sequences by id, as uint16 or uint32 arrays of their tokens.

    Raises:
        StoreError: there is no such corpus, or it lacks one of the sequences.
        SourceError: a file that the corpus is read from in place is gone or has changed.
    """
    require_corpus(connection, corpus)
    wanted = np.unique(np.asarray(sequence_ids, np.int64))
    found: dict[int, npt.NDArray[np.unsignedinteger]] = {}
    shards = shards_of(connection, corpus)
    for shard, rows in _rows_by_shard(shards, wanted):
        read = _read_landed if shard.storage == LANDED else _read_mapped
        found.update(read(connection, shard, wanted[rows]))
    missing = [sequence_id for sequence_id in wanted.tolist() if sequence_id not in found]
    if missing:
        raise StoreError(f"corpus {corpus!r} has no sequence {missing[0]}; it has {_what_it_has(shards)}")
    return found


def iter_windows(
    connection: duckdb.DuckDBPyConnection,
    corpus: str,
    sequence_ids: npt.NDArray[np.int64],
    token_offsets: npt.NDArray[np.int64],
    length: int,
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]]:
    """Windows of the corpus' sequences, in chunks whose memory does not grow with their number.

    Args:
        connection: with the corpus.
        corpus: its name.
        sequence_ids: (n,) ascending, for the store is read in that order; an id may come again with another offset.
        token_offsets: (n,) where each window begins in its sequence.
        length: tokens of a window.

    Yields:
        The positions in `sequence_ids` (k,), ascending within a chunk, and the windows (k, length). Those whose
        sequence the corpus does not have, or that run past its end, do not come.

    Raises:
        SourceError: a file that the corpus is read from in place is gone or has changed.
    """
    shards = shards_of(connection, corpus)
    for first in range(0, len(sequence_ids), WINDOWS_AT_ONCE):
        chunk = sequence_ids[first : first + WINDOWS_AT_ONCE]
        offsets = token_offsets[first : first + WINDOWS_AT_ONCE]
        for shard, rows in _rows_by_shard(shards, chunk):
            read = _landed_windows if shard.storage == LANDED else _mapped_windows
            kept, tokens = read(connection, shard, chunk[rows], offsets[rows], length)
            if len(kept):
                yield first + rows[kept], tokens


def _rows_by_shard(
    shards: Sequence[Shard], sequence_ids: npt.NDArray[np.int64]
) -> Iterator[tuple[Shard, npt.NDArray[np.int64]]]:
    for shard in shards:
        low, high = np.searchsorted(sequence_ids, (shard.first_sequence_id, shard.last_sequence_id + 1))
        if low < high:
            yield shard, np.arange(low, high)


def _landed_windows(
    connection: duckdb.DuckDBPyConnection,
    shard: Shard,
    sequence_ids: npt.NDArray[np.int64],
    token_offsets: npt.NDArray[np.int64],
    length: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    wanted = pa.table({"row": np.arange(len(sequence_ids)), "sequence_id": sequence_ids, "token_offset": token_offsets})
    connection.register("wanted_windows", wanted)
    try:
        # The bounds let whole row groups be skipped, which the join alone would not.
        result = connection.execute(
            f"""
            select wanted.row, list_slice(landed.tokens, wanted.token_offset + 1, wanted.token_offset + ?) as tokens
            from {shard.table} as landed
            inner join wanted_windows as wanted using (sequence_id)
            where landed.shard_id = ? and landed.sequence_id between ? and ?
                and wanted.token_offset >= 0 and len(landed.tokens) >= wanted.token_offset + ?
            order by wanted.row
            """,  # noqa: S608
            [length, shard.shard_id, int(sequence_ids[0]), int(sequence_ids[-1]), length],
        ).to_arrow_table()
    finally:
        connection.unregister("wanted_windows")
    tokens = result.column("tokens").combine_chunks()
    values = tokens.flatten().to_numpy() if len(tokens) else np.empty(0, np.uint32)
    return result.column("row").to_numpy(), values.astype(np.uint32).reshape(-1, length)


def _mapped_windows(
    connection: duckdb.DuckDBPyConnection,
    shard: Shard,
    sequence_ids: npt.NDArray[np.int64],
    token_offsets: npt.NDArray[np.int64],
    length: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    mapped = open_layout(shard)
    rows = sequence_ids - shard.first_sequence_id
    kept = np.flatnonzero((token_offsets >= 0) & (token_offsets + length <= mapped.index.lengths(rows)))
    return kept, mapped.windows(rows[kept], token_offsets[kept], length)


def _read_landed(
    connection: duckdb.DuckDBPyConnection, shard: Shard, sequence_ids: npt.NDArray[np.int64]
) -> dict[int, npt.NDArray[np.unsignedinteger]]:
    connection.register("wanted_sequences", pa.table({"sequence_id": sequence_ids}))
    try:
        result = connection.execute(
            f"select sequence_id, tokens from {shard.table} "  # noqa: S608
            "semi join wanted_sequences using (sequence_id) where shard_id = ? and sequence_id between ? and ?",
            [shard.shard_id, int(sequence_ids[0]), int(sequence_ids[-1])],
        ).to_arrow_table()
    finally:
        connection.unregister("wanted_sequences")
    tokens = result.column("tokens")
    ids = result.column("sequence_id").to_pylist()
    return {sequence_id: tokens[row].values.to_numpy() for row, sequence_id in enumerate(ids)}


def _read_mapped(
    connection: duckdb.DuckDBPyConnection, shard: Shard, sequence_ids: npt.NDArray[np.int64]
) -> dict[int, npt.NDArray[np.unsignedinteger]]:
    mapped = open_layout(shard)
    stored = np.dtype(shard.token_dtype)
    return {
        sequence_id: mapped.sequence(sequence_id - shard.first_sequence_id).astype(stored)
        for sequence_id in sequence_ids.tolist()
    }


def _what_it_has(shards: Sequence[Shard]) -> str:
    ranges = [f"{shard.first_sequence_id} to {shard.last_sequence_id}" for shard in shards]
    return f"sequence ids {', '.join(ranges[:5])}{' …' if len(ranges) > 5 else ''}" if ranges else "no tokens"
