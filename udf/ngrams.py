"""Counting, finding, hashing and comparing exact runs of tokens."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

import memtax_native
from udf.errors import UdfError
from udf.query_tables import QueryTables, open_tables
from udf.registry import constant, udf
from udf.scan_progress import scan_progress
from udf.settings import threads
from udf.token_counts import histogram
from udf.token_rows import TokenRows, token_rows, validity

COUNTS = pa.list_(pa.struct([("query_index", pa.int64()), ("occurrences", pa.int32()), ("first_offset", pa.int32())]))
# An entry of a window has no token_id; one of a token has nothing but its id and occurrences.
COUNT_OF_EITHER = pa.struct(
    [("query_index", pa.int64()), ("token_id", pa.int64()), ("occurrences", pa.int64()), ("first_offset", pa.int32())]
)


@udf([pa.list_(pa.uint32()), pa.string()], COUNTS, scan=True)
def count_windows(tokens: pa.Array, handle: pa.Array) -> pa.Array:
    """For each sequence, the windows of a query table that occur in it: index, how often, and the first offset.

    Every offset counts, overlapping ones too; entries ascend by first offset, shorter windows before longer ones. A NULL
    sequence or handle gives NULL.
    """
    return _count_windows(tokens, handle, "count_windows")


@udf([pa.list_(pa.uint16()), pa.string()], COUNTS, scan=True)
def count_windows_uint16(tokens: pa.Array, handle: pa.Array) -> pa.Array:
    """`count_windows` for tokens of 16 bits: DuckDB would copy every sequence to widen it."""
    return _count_windows(tokens, handle, "count_windows_uint16")


@udf([pa.list_(pa.uint32()), pa.string(), pa.bool_()], pa.list_(COUNT_OF_EITHER), scan=True)
def count_windows_and_tokens(tokens: pa.Array, handle: pa.Array, tokens_wanted: pa.Array) -> pa.Array:
    """`count_windows` and, where `tokens_wanted`, the occurrences of each token, in one pass over the sequences.

    An entry of a window has no `token_id`, one of a token no `query_index`. A batch's tokens come with its first
    sequence, so that only sums over all rows mean anything: `group by query_index, token_id`.
    """
    return _count_windows_and_tokens(tokens, handle, tokens_wanted, "count_windows_and_tokens")


@udf([pa.list_(pa.uint16()), pa.string(), pa.bool_()], pa.list_(COUNT_OF_EITHER), scan=True)
def count_windows_and_tokens_uint16(tokens: pa.Array, handle: pa.Array, tokens_wanted: pa.Array) -> pa.Array:
    """`count_windows_and_tokens` for tokens of 16 bits: DuckDB would copy every sequence to widen it."""
    return _count_windows_and_tokens(tokens, handle, tokens_wanted, "count_windows_and_tokens_uint16")


@udf([pa.list_(pa.uint32()), pa.string()], pa.int64())
def find_window(windows: pa.Array, handle: pa.Array) -> pa.Array:
    """The index of each window in a query table, as `count_windows` names it; NULL where the table does not hold it.

    Raises:
        UdfError: a window is of a length that the table has none of.
    """
    query = _tables(handle, "find_window")
    present = _both_valid(windows, handle)
    index = np.full(len(windows), -1, dtype=np.int64)
    if query is None or len(query) == 0 or not present.any():
        return pa.array(index, pa.int64(), mask=index < 0)
    lengths = windows.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    held = [table.length for table in query.tables]
    if (foreign := present & ~np.isin(lengths, held)).any():
        raise UdfError(
            f"find_window() got a window of {lengths[foreign][0]} tokens; the query table holds windows of "
            f"{' and '.join(map(str, held))}: build the table from windows of the same length"
        )
    for table, first in zip(query.tables, query.first_index, strict=True):
        if not (chosen := present & (lengths == table.length)).any():
            continue
        rows = token_rows(windows if chosen.all() else windows.filter(pa.array(chosen)), "find_window")
        found = table.find(rows.values, rows.offsets, threads())
        index[chosen] = np.where(found < 0, -1, found + first)
    return pa.array(index, pa.int64(), mask=index < 0)


@udf([pa.list_(pa.uint32()), pa.int32(), pa.int32()], pa.uint64())
def ngram_hash(tokens: pa.Array, start: pa.Array, length: pa.Array) -> pa.Array:
    """A stable hash of tokens[start:start + length] (0-based); NULL where a row has not that many tokens.

    Equal runs have equal hashes, so that a join on them finds every candidate; `ngram_equal` decides.
    """
    rows = token_rows(tokens, "ngram_hash")
    starts = start.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    lengths = length.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    hashes = memtax_native.ngram_hash(rows.values, rows.offsets, starts, lengths)
    missing = ~rows.valid | (starts < 0) | (lengths < 0) | (starts + lengths > np.diff(rows.offsets))
    return pa.array(hashes, pa.uint64(), mask=missing)


@udf([pa.list_(pa.uint32()), pa.list_(pa.uint32())], pa.bool_())
def ngram_equal(a: pa.Array, b: pa.Array) -> pa.Array:
    """Whether two runs hold the same tokens in the same order. NULL if either is."""
    left, right = token_rows(a, "ngram_equal"), token_rows(b, "ngram_equal")
    equal = memtax_native.ngram_equal(left.values, left.offsets, right.values, right.offsets)
    return pa.array(equal, pa.bool_(), mask=~(left.valid & right.valid))


def _both_valid(rows: pa.Array, handle: pa.Array) -> np.ndarray:
    return validity(rows) & validity(handle)


def _tables(handle: pa.Array, udf_name: str) -> QueryTables | None:
    path = constant(handle, udf_name, "handle")
    return None if path is None else open_tables.get(str(path))


def _count_windows(tokens: pa.Array, handle: pa.Array, udf_name: str) -> pa.Array:
    query = _tables(handle, udf_name)
    if query is None or len(tokens) == 0:
        return pa.nulls(len(tokens), COUNTS)
    row_offsets, *columns = _scan(query, token_rows(tokens, udf_name))
    scan_progress.advance(len(tokens))
    entries = pa.StructArray.from_arrays([pa.array(column) for column in columns], fields=list(COUNTS.value_type))
    return _lists(row_offsets, entries, _both_valid(tokens, handle))


def _count_windows_and_tokens(tokens: pa.Array, handle: pa.Array, tokens_wanted: pa.Array, udf_name: str) -> pa.Array:
    query = _tables(handle, udf_name)
    present = _both_valid(tokens, handle)
    if query is None or not present.any():
        scan_progress.advance(len(tokens))
        return pa.nulls(len(tokens), pa.list_(COUNT_OF_EITHER))
    row_offsets, index, occurrences, first_offset = _scan(query, token_rows(tokens, udf_name))
    entries = _entries(len(index), query_index=index, occurrences=occurrences, first_offset=first_offset)
    if constant(tokens_wanted, udf_name, "tokens_wanted"):
        rows = token_rows(tokens if present.all() else tokens.filter(pa.array(present)), udf_name)
        ids, frequencies = histogram(rows.values[rows.offsets[0] : rows.offsets[-1]])
        first = int(np.argmax(present))
        at = int(row_offsets[first])
        counted = _entries(len(ids), token_id=ids, occurrences=frequencies)
        entries = pa.concat_arrays([entries.slice(0, at), counted, entries.slice(at)])
        row_offsets = row_offsets + np.where(np.arange(len(row_offsets)) > first, len(ids), 0)
    scan_progress.advance(len(tokens))
    return _lists(row_offsets, entries, present)


def _scan(query: QueryTables, rows: TokenRows) -> tuple[np.ndarray, ...]:
    """Row offsets, query indexes, occurrences and first offsets of the windows of all lengths."""
    return _in_turn(
        [
            (row_offsets, index + first, occurrences, first_offset)
            for table, first in zip(query.tables, query.first_index, strict=True)
            for row_offsets, index, occurrences, first_offset in [table.scan(rows.values, rows.offsets, threads())]
        ]
    )


def _entries(n: int, **columns: np.ndarray) -> pa.StructArray:
    """n entries; what is not given is NULL."""
    fields = list(COUNT_OF_EITHER)
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(n, field.type)
        for field in fields
    ]
    return pa.StructArray.from_arrays(arrays, fields=fields)


def _lists(row_offsets: np.ndarray, entries: pa.StructArray, present: np.ndarray) -> pa.ListArray:
    mask = None if present.all() else pa.array(~present)
    return pa.ListArray.from_arrays(pa.array(row_offsets.astype(np.int32)), entries, mask=mask)


def _in_turn(scans: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """Row offsets and columns of several scans of the same rows as those of one: within a row, scan after scan."""
    if len(scans) == 1:
        return scans[0]
    sizes = np.stack([np.diff(row_offsets) for row_offsets, *_ in scans], axis=1)  # [rows, scans]
    begins = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    columns = [np.empty(begins[-1], column.dtype) for column in scans[0][1:]]
    for number, (row_offsets, *parts) in enumerate(scans):
        # Entry i of a row's part goes to where that part begins, plus i.
        shifts = begins[number : -1 : len(scans)] - row_offsets[:-1]
        places = np.arange(row_offsets[-1]) + np.repeat(shifts, sizes[:, number])
        for column, part in zip(columns, parts, strict=True):
            column[places] = part
    return begins[:: len(scans)], *columns
