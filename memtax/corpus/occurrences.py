"""Where runs of tokens occur in a corpus: one streamed pass over its shards, confirmed token by token."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import duckdb
import numpy as np
import numpy.typing as npt

from memtax.corpus.batch import TOKEN_TYPES, TokenBatch, token_lists
from memtax.corpus.layout import open_layout
from memtax.corpus.progress import Progress, silent
from memtax.corpus.shards import LANDED, Shard, require_corpus, shards_of
from memtax.errors import StoreError

SHORTEST, LONGEST = 8, 128
# Rows to a batch: at Pythia's 2,049 tokens a sequence these are 4 MB, enough to keep every core busy.
BATCH_ROWS = 1_024


@dataclass
class Occurrences:
    """What a pass found of one run: the number of occurrences, of sequences that hold one, and the first places."""

    occurrences: int = 0
    sequences: int = 0
    places: list[tuple[int, int]] = field(default_factory=list)
    """(sequence_id, offset of the first occurrence in it), in corpus order."""


def find_occurrences(
    connection: duckdb.DuckDBPyConnection, corpus: str, window: Sequence[int], limit: int = 10
) -> Occurrences:
    """`count_occurrences` for one run of tokens."""
    return count_occurrences(connection, corpus, [window], limit)[0]


def count_occurrences(
    connection: duckdb.DuckDBPyConnection,
    corpus: str,
    windows: Sequence[Sequence[int]],
    limit: int = 10,
    progress: Progress = silent,
) -> list[Occurrences]:
    """Count every exact occurrence of each of `windows` in a corpus, at any offset, in one pass over its tokens.

    Args:
        connection: the store, open for reading.
        corpus: the corpus' name.
        windows: runs of token ids, 8 to 128 each; their lengths may differ.
        limit: how many places of each to return.
        progress: is told after every batch.

    Returns:
        For each window its counts, and the first `limit` sequences that hold it.

    Raises:
        StoreError: there is no such corpus, it has no tokens, or a window is not of 8 to 128 token ids.
        SourceError: a file that the corpus is read from in place is gone or has changed.
    """
    require_corpus(connection, corpus)
    for window in windows:
        check_window(window)
    shards = sorted(shards_of(connection, corpus), key=lambda shard: shard.first_sequence_id)
    if not shards:
        raise StoreError(f"corpus {corpus!r} has no tokens yet; land them: memtax ingest corpus {corpus} SOURCE")
    counters = [
        _Counter([number for number, window in enumerate(windows) if len(window) == length], windows, limit)
        for length in sorted({len(window) for window in windows})
    ]
    total, done, begin = sum(shard.n_tokens for shard in shards), 0, time.monotonic()
    for shard in shards:
        for ids, batch in _batches(connection, shard):
            for counter in counters:
                counter.scan(ids, batch)
            done += len(batch.values)
            left = (time.monotonic() - begin) / max(done, 1) * (total - done)
            progress(done / max(total, 1), f"{done:,} of {total:,} tokens, about {left:.0f} s left")
    found: dict[int, Occurrences] = {}
    for counter in counters:
        found |= counter.found()
    return [found[number] for number in range(len(windows))]


def check_window(window: Sequence[int]) -> None:
    """Refuse what cannot be looked for.

    Raises:
        StoreError: it is not 8 to 128 token ids.
    """
    if not SHORTEST <= len(window) <= LONGEST:
        raise StoreError(
            f"this is a run of {len(window)} token{'s' if len(window) != 1 else ''}, and a run of {SHORTEST} to {LONGEST} "
            f"can be counted; {'give more text' if len(window) < SHORTEST else 'give a shorter piece of it'}"
        )
    bad = next((token for token in window if not 0 <= token < 2**32), None)
    if bad is not None:
        raise StoreError(f"{bad} is no token id; ids are whole numbers from 0 to {2**32 - 1}")


class _Counter:
    """The windows of one length: their query table, and what was found of each so far."""

    def __init__(self, numbers: list[int], windows: Sequence[Sequence[int]], limit: int) -> None:
        from memtax_native import QueryTable

        asked = np.asarray([windows[number] for number in numbers], dtype=np.uint32)
        self._numbers = numbers
        self._limit = limit
        self._table = QueryTable.build(asked)
        # A window that was asked for twice is one entry of the table.
        self._entries = self._table.find(asked.ravel(), np.arange(len(asked) + 1, dtype=np.int64) * asked.shape[1])
        self._occurrences = np.zeros(len(self._table), np.int64)
        self._sequences = np.zeros(len(self._table), np.int64)
        self._places: list[list[tuple[int, int]]] = [[] for _ in range(len(self._table))]

    def scan(self, sequence_ids: npt.NDArray[np.int64], batch: TokenBatch) -> None:
        """Count one batch."""
        row_offsets, entries, occurrences, first_offsets = self._table.scan(cast(Any, batch.values), batch.offsets)
        if not len(entries):
            return
        # Places are wanted of those only that had fewer than the limit before this batch.
        wanted = np.flatnonzero(self._sequences[entries] < self._limit)
        np.add.at(self._occurrences, entries, occurrences)
        np.add.at(self._sequences, entries, 1)
        if not len(wanted):
            return
        by_entry = wanted[np.argsort(entries[wanted], kind="stable")]
        grouped = entries[by_entry]
        rank = np.arange(len(grouped)) - np.searchsorted(grouped, grouped)
        rows = np.searchsorted(row_offsets, by_entry, side="right") - 1
        for at in np.flatnonzero(rank < self._limit):
            places = self._places[grouped[at]]
            if len(places) < self._limit:
                places.append((int(sequence_ids[rows[at]]), int(first_offsets[by_entry[at]])))

    def found(self) -> dict[int, Occurrences]:
        """What was found, by the number of the window."""
        return {
            number: Occurrences(int(self._occurrences[entry]), int(self._sequences[entry]), list(self._places[entry]))
            for number, entry in zip(self._numbers, self._entries.tolist(), strict=True)
        }


def _batches(connection: duckdb.DuckDBPyConnection, shard: Shard) -> Iterator[tuple[npt.NDArray[np.int64], TokenBatch]]:
    """The shard's sequences in order, a few megabytes of tokens at a time."""
    if shard.storage == LANDED:
        yield from _landed_batches(connection, shard)
        return
    first = shard.first_sequence_id
    for batch in open_layout(shard).batches():
        # Files may hold other integers than the store does; those of its own width are passed on as they are mapped.
        values = token_lists(batch, TOKEN_TYPES[shard.token_dtype]).values.to_numpy()
        yield np.arange(first, first + len(batch)), TokenBatch(values, batch.offsets)
        first += len(batch)


def _landed_batches(
    connection: duckdb.DuckDBPyConnection, shard: Shard
) -> Iterator[tuple[npt.NDArray[np.int64], TokenBatch]]:
    reader = connection.execute(
        f"select sequence_id, tokens from {shard.table} where shard_id = ?",  # noqa: S608
        [shard.shard_id],
    ).to_arrow_reader(BATCH_ROWS)
    for rows in reader:
        tokens = rows.column("tokens")
        offsets = tokens.offsets.to_numpy().astype(np.int64)
        values = tokens.values.to_numpy()[offsets[0] : offsets[-1]]
        yield rows.column("sequence_id").to_numpy(), TokenBatch(values, offsets - offsets[0])
