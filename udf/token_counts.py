"""How often each token occurs in a batch of sequences: counted natively, added up by SQL."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import memtax_native
from udf.registry import udf
from udf.scan_progress import scan_progress
from udf.settings import threads
from udf.token_rows import token_rows

COUNTS = pa.list_(pa.struct([("token_id", pa.int64()), ("frequency", pa.int64())]))
# A table with a place for every id is fastest while it fits the cache, and absurd for ids near 2**32.
LARGEST_TABLE = 1 << 22


@udf([pa.list_(pa.uint32())], COUNTS, scan=True)
def count_tokens(tokens: pa.Array) -> pa.Array:
    """Occurrences of each token: a batch's counts come with its first sequence, and the others have an empty list.

    Only sums over all rows mean anything, which is what SQL makes of them: `unnest`, then `sum(frequency) group by
    token_id`. A NULL sequence gives NULL.
    """
    return _count_tokens(tokens, "count_tokens")


@udf([pa.list_(pa.uint16())], COUNTS, scan=True)
def count_tokens_uint16(tokens: pa.Array) -> pa.Array:
    """`count_tokens` for tokens of 16 bits: DuckDB would copy every sequence to widen it."""
    return _count_tokens(tokens, "count_tokens_uint16")


def _count_tokens(tokens: pa.Array, udf_name: str) -> pa.Array:
    scan_progress.advance(len(tokens))
    present = tokens.is_valid().to_numpy(zero_copy_only=False)
    if not present.any():
        return pa.nulls(len(tokens), COUNTS)
    rows = token_rows(tokens if present.all() else tokens.drop_null(), udf_name)
    ids, frequencies = histogram(rows.values[rows.offsets[0] : rows.offsets[-1]])
    # Every list ends where the counts end, so that all but the first sequence's are empty.
    starts = np.full(len(tokens) + 1, len(ids), dtype=np.int32)
    starts[: int(np.argmax(present)) + 1] = 0
    offsets = pa.array(starts, mask=np.append(~present, False))
    values = pa.StructArray.from_arrays([pa.array(ids), pa.array(frequencies)], fields=list(COUNTS.value_type))
    return pa.ListArray.from_arrays(offsets, values, type=COUNTS)


def histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values, ascending, and how often each occurs.

    Args:
        values: uint16 or uint32 [n].

    Returns:
        Two int64 arrays of one length.
    """
    largest = np.iinfo(np.uint16).max if values.dtype == np.uint16 else int(values.max(initial=0))
    if largest >= LARGEST_TABLE:
        ids, frequencies = np.unique(values, return_counts=True)
        return ids.astype(np.int64), frequencies.astype(np.int64)
    table = memtax_native.count_tokens(values, largest + 1, threads())
    ids = np.flatnonzero(table)
    return ids.astype(np.int64), table[ids].astype(np.int64)
