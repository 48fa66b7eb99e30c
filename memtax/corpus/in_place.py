"""Corpora that stay in their files: each shard is one object that DuckDB scans over a memory map, copying no token."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from memtax.corpus.batch import TOKEN_TYPES, token_lists
from memtax.corpus.layout import open_layout
from memtax.corpus.shards import IN_PLACE, Shard, shards_of
from memtax.corpus.stream import RecordBatchStream


def attach(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Register every in-place shard of the store, as `in_place_shard_<shard_id>`, on this connection.

    Columns: corpus VARCHAR, shard_id INTEGER, sequence_id BIGINT, tokens USMALLINT[] or UINTEGER[]. Files are opened
    when a query scans them, so that a missing one disturbs no other query. Cursors of a connection do not see what is
    registered on it: attach to each. A filter that keeps most rows costs a copy of them, so do not filter on corpus or
    shard_id, which are the same in every row.

    Returns:
        The names; none where the store holds no `raw` schema yet.
    """
    try:
        shards = [shard for shard in shards_of(connection) if shard.storage == IN_PLACE]
    except duckdb.CatalogException:
        return []
    for shard in shards:
        connection.register(shard_name(shard.shard_id), shard_stream(shard))
    return [shard_name(shard.shard_id) for shard in shards]


def shard_name(shard_id: int) -> str:
    """The name under which SQL finds an in-place shard."""
    return f"in_place_shard_{shard_id}"


def shard_stream(shard: Shard) -> RecordBatchStream:
    """The shard as something that DuckDB can scan, again and again.

    A scan raises SourceError where a file is gone or has changed since it was registered.
    """
    tokens = pa.list_(pa.from_numpy_dtype(TOKEN_TYPES[shard.token_dtype]))
    schema = pa.schema(
        [("corpus", pa.string()), ("shard_id", pa.int32()), ("sequence_id", pa.int64()), ("tokens", tokens)]
    )
    return RecordBatchStream(schema, lambda: _batches(shard, schema))


def _batches(shard: Shard, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    mapped = open_layout(shard)
    token_type = TOKEN_TYPES[shard.token_dtype]
    first = shard.first_sequence_id
    for batch in mapped.batches():
        rows = len(batch)
        columns = [
            pa.repeat(shard.corpus, rows),
            pa.repeat(pa.scalar(shard.shard_id, pa.int32()), rows),
            pa.array(np.arange(first, first + rows, dtype=np.int64)),
            token_lists(batch, token_type),
        ]
        yield pa.record_batch(columns, schema=schema)
        first += rows
