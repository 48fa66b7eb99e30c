"""How frequent a window's tokens are in its corpus: the list of their frequencies, and six statistics of it.

The frequencies of a corpus go into an immutable file that is named by its content; SQL hands its path, the handle, to the
function that looks them up. A list argument would be copied for every row, and a join unnests every window.
"""

from __future__ import annotations

import tempfile
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udf.errors import UdfError
from udf.handles import located
from udf.registry import udf
from udf.token_counts import LARGEST_TABLE
from udf.token_rows import token_rows, validity

SUFFIX = ".frequencies.npy"
_BIGINTS = pa.list_(pa.int64())
STATISTICS = pa.struct(
    [
        ("max_frequency", pa.int64()),
        ("min_frequency", pa.int64()),
        ("avg_frequency", pa.float64()),
        ("median_frequency", pa.float64()),
        ("p25_frequency", pa.float64()),
        ("p75_frequency", pa.float64()),
        ("frequencies", _BIGINTS),
    ]
)


@udf([_BIGINTS, _BIGINTS, pa.string()], pa.string(), volatile=True)
def build_frequency_table(token_ids: pa.Array, frequencies: pa.Array, folders: pa.Array) -> pa.Array:
    """Store the frequencies of tokens as a file in a folder; return its handle, `<folder>/<digest>.frequencies.npy`.

    The same frequencies have the same digest, whatever their order. NULL where an argument is.

    Raises:
        UdfError: the lists differ in length, name an id twice or hold a negative number or a NULL, or the folder cannot
            be written to.
    """
    handles: list[str | None] = []
    for row in range(len(folders)):
        ids, counts, folder = token_ids[row].values, frequencies[row].values, folders[row].as_py()
        if ids is None or counts is None or folder is None:
            handles.append(None)
        else:
            handles.append(_build(ids, counts, Path(folder)))
    return pa.array(handles, pa.string())


@udf([pa.list_(pa.uint32()), pa.string()], STATISTICS)
def token_frequency_statistics(tokens: pa.Array, handle: pa.Array) -> pa.Array:
    """The corpus frequency of each token of a window, in token order, and six statistics of them.

    A token that the corpus does not hold has frequency 0. The quartiles are the discrete ones, the ceil(n / 4)th and the
    ceil(3 n / 4)th smallest of n; the median interpolates. NULL where the tokens or the handle are, and for no tokens.

    Raises:
        UdfError: there is no such table.
    """
    rows = token_rows(tokens, "token_frequency_statistics")
    lengths = np.diff(rows.offsets).astype(np.int64)
    present = rows.valid & validity(handle) & (lengths > 0)
    # What lies beneath absent rows is no part of the result, so that rows follow one another without gaps.
    sizes = np.where(present, lengths, 0)
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    found = np.empty(offsets[-1], np.int64)
    codes = handle.dictionary_encode()
    indices = codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    for code, name in enumerate(codes.dictionary.to_pylist()):
        chosen = np.flatnonzero(present & (indices == code))
        if not len(chosen):
            continue
        if len(chosen) == len(tokens):
            found[:] = _open(name).of(rows.values[rows.offsets[0] : rows.offsets[-1]])
            continue
        source = _positions(rows.offsets[chosen], sizes[chosen])
        found[_positions(offsets[chosen], sizes[chosen])] = _open(name).of(rows.values[source])
    columns = _statistics(found, offsets, sizes)
    frequencies = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(found), type=_BIGINTS)
    mask = None if present.all() else pa.array(~present)
    return pa.StructArray.from_arrays([*columns, frequencies], fields=list(STATISTICS), mask=mask)


class _Table(NamedTuple):
    """Token ids, ascending, and their frequencies; `dense` has a place for every id, unless there would be too many."""

    ids: np.ndarray
    frequencies: np.ndarray
    dense: np.ndarray | None

    def of(self, tokens: np.ndarray) -> np.ndarray:
        """The frequency of each token, 0 where it has none."""
        if self.dense is not None:
            # One more place than there are ids, for all that are beyond.
            return self.dense[np.minimum(tokens, len(self.dense) - 1)]
        if not len(self.ids):
            return np.zeros(len(tokens), np.int64)
        place = np.minimum(np.searchsorted(self.ids, tokens), len(self.ids) - 1)
        return np.where(self.ids[place] == tokens, self.frequencies[place], 0)


def _build(ids: pa.Array, counts: pa.Array, folder: Path) -> str:
    if ids.null_count or counts.null_count or len(ids) != len(counts):
        raise UdfError(
            f"build_frequency_table() got {len(ids)} token ids and {len(counts)} frequencies, NULLs among them or not; "
            "expected one frequency for each id, and no NULL"
        )
    order = np.argsort(ids.to_numpy(), kind="stable")
    table = np.stack([ids.to_numpy()[order], counts.to_numpy()[order]])
    if table.size and (table.min() < 0 or (np.diff(table[0]) == 0).any()):
        raise UdfError("build_frequency_table() got a negative number or an id twice; group by token_id, and sum")
    target = folder / f"{sha256(table.tobytes()).hexdigest()}{SUFFIX}"
    try:
        if not target.exists():
            folder.mkdir(parents=True, exist_ok=True)
            # Whole or not at all, whoever else writes the same.
            with tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp", delete=False) as file:
                np.save(file, table)
            Path(file.name).replace(target)
    except OSError as error:
        raise UdfError(f"build_frequency_table() cannot write to {folder}: {error}") from error
    return str(target)


@lru_cache(maxsize=8)
def _open(handle: str) -> _Table:
    try:
        ids, frequencies = np.load(located(handle), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UdfError(f"{error}; the handle must come from build_frequency_table()") from error
    if len(ids) and int(ids[-1]) >= LARGEST_TABLE:
        return _Table(ids, frequencies, None)
    dense = np.zeros(int(ids[-1]) + 2 if len(ids) else 1, np.int64)
    dense[ids] = frequencies
    return _Table(ids, frequencies, dense)


def _positions(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """start, start + 1, … of each of several runs, one after the other."""
    ends = np.cumsum(sizes)
    return np.arange(ends[-1]) + np.repeat(starts - (ends - sizes), sizes)


def _statistics(found: np.ndarray, offsets: np.ndarray, sizes: np.ndarray) -> list[pa.Array]:
    """The six columns; rows of one length are sorted together."""
    rows = len(sizes)
    largest, smallest = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    mean, median, p25, p75 = (np.zeros(rows) for _ in range(4))
    for n in np.unique(sizes[sizes > 0]).tolist():
        chosen = np.flatnonzero(sizes == n)
        block = found if len(chosen) == rows else found[_positions(offsets[chosen], sizes[chosen])]
        ascending = np.sort(block.reshape(-1, n), axis=1)
        largest[chosen], smallest[chosen] = ascending[:, -1], ascending[:, 0]
        mean[chosen] = ascending.sum(axis=1) / n
        median[chosen] = (ascending[:, (n - 1) // 2] + ascending[:, n // 2]) / 2
        p25[chosen], p75[chosen] = ascending[:, (n + 3) // 4 - 1], ascending[:, (3 * n + 3) // 4 - 1]
    return [pa.array(column) for column in (largest, smallest, mean, median, p25, p75)]
