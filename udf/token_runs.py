"""Repetition among a sequence's tokens: the older filters that the paper's published tables still carry."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from udf.errors import UdfError
from udf.registry import udf

CHUNK_LENGTHS = range(2, 11)
MAXIMUM_TRAILING = 2

TOKEN_RUNS = pa.struct(
    [
        ("repeating_offset", pa.int32()),
        ("num_repeating", pa.int32()),
        ("smallest_repeating_chunk", pa.list_(pa.uint32())),
        ("longest_token_run", pa.int32()),
    ]
)


@udf([pa.list_(pa.uint32())], TOKEN_RUNS)
def token_runs(tokens: pa.Array) -> pa.Array:
    """Whether equal chunks make up a sequence, and its longest run of one token.

    `smallest_repeating_chunk` is the shortest chunk of 2 to 10 tokens that, `num_repeating` (2 or more) times over, is
    the whole sequence but for `repeating_offset` (0, else 1, else 2) trailing tokens. Where there is none the offset
    and the chunk are NULL and `num_repeating` is 0. `longest_token_run` counts tokens; an empty list has 0. NULL stays
    NULL.

    Raises:
        UdfError: a list holds a NULL.
    """
    values, starts, lengths = _lists(tokens)
    offset = np.full(len(tokens), -1, dtype=np.int32)
    chunk = np.zeros(len(tokens), dtype=np.int64)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        matrix = values[starts[rows][:, None] + np.arange(length)]
        offset[rows], chunk[rows] = _equal_chunks(matrix)
    found = offset >= 0
    repeats = np.where(found, (lengths - offset) // np.maximum(chunk, 1), 0)
    taken = np.repeat(starts - np.cumsum(chunk) + chunk, chunk) + np.arange(chunk.sum())
    chunk_offsets = pa.array(np.concatenate([[0], np.cumsum(chunk)]), type=pa.int32())
    columns = [
        pa.array(offset, mask=~found),
        pa.array(repeats, type=pa.int32()),
        pa.ListArray.from_arrays(chunk_offsets, pa.array(values[taken], type=pa.uint32()), mask=pa.array(~found)),
        pa.array(_longest_runs(values, starts, lengths), type=pa.int32()),
    ]
    null = pa.array(np.asarray(tokens.is_null()))
    return pa.StructArray.from_arrays(columns, fields=list(TOKEN_RUNS), mask=null)


def _lists(tokens: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The values of a list column, and each row's start among them and length; a NULL row has length 0."""
    lists = tokens.cast(pa.large_list(pa.uint32()))
    if lists.values.null_count and any(row is not None and None in row for row in lists.to_pylist()):
        raise UdfError("token_runs() needs token ids, and got a list that holds NULL; filter such rows out")
    offsets = np.asarray(lists.offsets)
    lengths = np.where(np.asarray(lists.is_null()), 0, np.diff(offsets))
    return np.asarray(lists.values.fill_null(0)), offsets[:-1], lengths


def _equal_chunks(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For rows of one length, the trailing tokens to ignore and the chunk's length; -1 and 0 where nothing repeats."""
    rows, length = matrix.shape
    offset, chunk = np.full(rows, -1, dtype=np.int32), np.zeros(rows, dtype=np.int64)
    for trailing in range(MAXIMUM_TRAILING + 1):
        used = length - trailing
        for size in CHUNK_LENGTHS:
            if used % size or used // size < 2:
                continue
            repeats = (matrix[:, size:used] == matrix[:, : used - size]).all(axis=1) & (offset < 0)
            offset[repeats], chunk[repeats] = trailing, size
    return offset, chunk


def _longest_runs(values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    longest = np.zeros(len(lengths), dtype=np.int64)
    filled = np.flatnonzero(lengths)
    if not len(filled):
        return longest
    ends = np.cumsum(lengths[filled])
    row_starts = ends - lengths[filled]
    # The rows that are not empty, one after the other, without what lies between them.
    joined = values[np.repeat(starts[filled] - row_starts, lengths[filled]) + np.arange(ends[-1])]
    begins_run = np.concatenate([[True], joined[1:] != joined[:-1]])
    begins_run[row_starts] = True
    run_starts = np.flatnonzero(begins_run)
    run_lengths = np.diff(np.append(run_starts, len(joined)))
    longest[filled] = np.maximum.reduceat(run_lengths, np.searchsorted(run_starts, row_starts))
    return longest
