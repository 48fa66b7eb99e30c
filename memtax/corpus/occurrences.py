"""Where a run of tokens occurs in a corpus: one streamed pass over its shards, confirmed token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

# Rows to a batch: at Pythia's 2,049 tokens a sequence these are 4 MB, enough to keep every core busy.
BATCH_ROWS = 1_024


@dataclass
class Occurrences:
    """What a pass found: the number of occurrences, of sequences that hold one, and the first places."""

    occurrences: int = 0
    sequences: int = 0
    places: list[tuple[int, int]] = field(default_factory=list)
    """(sequence_id, offset of the first occurrence in it), in corpus order."""


def find_occurrences(
    connection: duckdb.DuckDBPyConnection, corpus: str, window: Sequence[int], limit: int = 10
) -> Occurrences:
    """Count every exact occurrence of `window` in a corpus, at any offset.

    Args:
        connection: a session whose in-place corpora are attached.
        corpus: the corpus' name.
        window: token ids, 8 to 128 of them.
        limit: how many places to return.

    Returns:
        The counts, and the first `limit` sequences that hold the window.
    """
    from memtax_native import QueryTable

    table = QueryTable.build(np.asarray([window], dtype=np.uint32))
    found = Occurrences()
    shards = connection.execute(
        "select shard_id, storage, token_dtype from raw.corpus_shards where corpus = ? order by first_sequence_id",
        [corpus],
    ).fetchall()
    for shard_id, storage, token_dtype in shards:
        # A filter on a shard in place, which keeps every row, would copy every token.
        relation = f"in_place_shard_{shard_id}"
        if storage != "in_place":
            relation = f"raw.corpus_sequences_{token_dtype} where shard_id = {shard_id}"
        batches = connection.execute(
            f"select sequence_id, tokens from {relation}"  # noqa: S608 - both from the store
        ).to_arrow_reader(BATCH_ROWS)
        for batch in batches:
            _scan(table, batch, found, limit)
    return found


def _scan(table: object, batch: pa.RecordBatch, found: Occurrences, limit: int) -> None:
    tokens = batch.column("tokens")
    offsets = tokens.offsets.to_numpy()
    values = tokens.values.to_numpy()[offsets[0] : offsets[-1]]
    row_offsets, _, occurrences, first_offset = table.scan(values, offsets - offsets[0])  # type: ignore[attr-defined]
    found.occurrences += int(occurrences.sum())
    found.sequences += len(occurrences)
    if len(occurrences) and len(found.places) < limit:
        ids = batch.column("sequence_id").to_numpy()
        for row in np.flatnonzero(np.diff(row_offsets))[: limit - len(found.places)]:
            found.places.append((int(ids[row]), int(first_offset[row_offsets[row]])))
