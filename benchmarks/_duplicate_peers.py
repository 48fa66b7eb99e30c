"""Other ways to count windows exactly, for comparison: numpy, DuckDB's SQL, suffix arrays.

Each takes the sequences as a matrix of 16-bit tokens and the windows as another, and returns how often each window
occurs. A peer that is not installed returns None.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

SEPARATOR = 65_535  # above every token of the benchmark's data
_BLOCK = 1 << 16  # tokens; what numpy's temporaries of one take fits in a core's cache


def count_with_numpy(sequences: np.ndarray, windows: np.ndarray, threads: int) -> np.ndarray:
    """Hash every window of the corpus by doubling, look the hash up in a bit table, compare what is found."""
    unique, inverse = np.unique(windows, axis=0, return_inverse=True)
    hashes = _doubling_hash(unique.ravel(), windows.shape[1])[:: windows.shape[1]]
    order = np.argsort(hashes)
    hashes, unique = hashes[order], unique[order]
    bits = max(16, int(np.ceil(np.log2(len(hashes) * 64))))
    present = np.zeros(1 << bits, dtype=bool)
    present[hashes >> np.uint64(64 - bits)] = True
    rows = max(1, _BLOCK // sequences.shape[1])

    def count_block(begin: int) -> np.ndarray:
        block = sequences[begin : begin + rows]
        of_block = _doubling_hash(block.ravel(), windows.shape[1])
        candidates = np.flatnonzero(present[of_block >> np.uint64(64 - bits)])
        inside = candidates % block.shape[1] <= block.shape[1] - windows.shape[1]
        candidates = candidates[inside]
        first = np.searchsorted(hashes, of_block[candidates])
        first[first == len(hashes)] = 0
        candidates, first = (
            candidates[hashes[first] == of_block[candidates]],
            first[hashes[first] == of_block[candidates]],
        )
        at_offset = np.lib.stride_tricks.sliding_window_view(block.ravel(), windows.shape[1])[candidates]
        return first[(at_offset == unique[first]).all(axis=1)]

    if len(np.unique(hashes)) < len(hashes):
        raise AssertionError("two windows of this benchmark share a 64-bit hash; choose another seed")
    counts = np.zeros(len(unique), dtype=np.int64)
    with ThreadPoolExecutor(threads) as pool:
        for found in pool.map(count_block, range(0, len(sequences), rows)):
            np.add.at(counts, found, 1)
    in_order = np.empty_like(counts)
    in_order[order] = counts
    return in_order[inverse.ravel()]


def _doubling_hash(tokens: np.ndarray, length: int) -> np.ndarray:
    """A 64-bit hash of the `length` (a power of two) tokens from each position on."""
    hashed = (tokens.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    factor, span = 0xD6E8FEB86659FD93, 1
    while span < length:
        hashed = hashed[:-span] * np.uint64(factor) + hashed[span:]
        factor, span = factor * factor % (1 << 64), 2 * span
    return hashed


def count_with_duckdb(sequences: np.ndarray, windows: np.ndarray, threads: int) -> np.ndarray:
    """Every window of the corpus as a list, joined to the windows asked for by a hash, and compared."""
    import duckdb
    import pyarrow as pa

    tables = {
        name: pa.table(
            {"n": pa.array(range(len(rows))), "t": pa.FixedSizeListArray.from_arrays(rows.ravel(), rows.shape[1])}
        )
        for name, rows in {"corpus": sequences, "queries": windows}.items()
    }
    length = windows.shape[1]
    with duckdb.connect(config={"threads": threads}) as connection:
        for name, table in tables.items():
            connection.register(f"{name}_arrow", table)
            connection.execute(f"create table {name} as select n, t::usmallint[] as t from {name}_arrow")
        # Joined on a hash: a join on the lists themselves is much slower.
        found = connection.execute(
            f"""with places as (select t, unnest(range(1, len(t) - {length - 2})) as place from corpus),
            occurring as (select t[place:place + {length - 1}] as w, hash(w) as h from places),
            wanted as (select n, t, hash(t) as h from queries)
            select n, count(*) as c from occurring join wanted on occurring.h = wanted.h where w = t group by n"""
        ).fetchnumpy()
    counts = np.zeros(len(windows), dtype=np.int64)
    counts[found["n"]] = found["c"]
    return counts


def count_with_pydivsufsort(sequences: np.ndarray, windows: np.ndarray, threads: int) -> np.ndarray | None:
    """A suffix array of the whole corpus, and a search in it per window."""
    try:
        from pydivsufsort import divsufsort, sa_search
    except ImportError:
        return None
    text = _separated(sequences).view(np.uint8)
    suffixes = divsufsort(text)
    counts = []
    for window in np.ascontiguousarray(windows).view(np.uint8):
        n, first = sa_search(text, suffixes, window)
        # It searches bytes: what begins in the middle of a token is no occurrence.
        counts.append(int((suffixes[first : first + n] % 2 == 0).sum()) if n else 0)
    return np.array(counts)


def count_with_infini_gram(sequences: np.ndarray, windows: np.ndarray, threads: int) -> np.ndarray | None:
    """infini-gram's index on disk, and one count per window."""
    try:
        from infini_gram.engine import InfiniGramEngine
    except ImportError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        index.mkdir()
        # Its indexer begins with a tokenized file: documents, each after a separator.
        _separated(sequences).tofile(index / "tokenized.0")
        (np.arange(len(sequences), dtype=np.uint64) * np.uint64(2 * (sequences.shape[1] + 1))).tofile(
            index / "offset.0"
        )
        command = [sys.executable, "-m", "infini_gram.indexing", "--data_dir", folder, "--save_dir", str(index)]
        options = [
            "--temp_dir",
            str(index),
            "--token_dtype",
            "u16",
            "--cpus",
            str(threads),
            "--mem",
            "4",
            "--ulimit",
            "1024",
        ]
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))
        engine = InfiniGramEngine(index_dir=str(index), eos_token_id=SEPARATOR - 1, token_dtype="u16")
        return np.array([engine.count(input_ids=window)["count"] for window in windows.tolist()])


def _separated(sequences: np.ndarray) -> np.ndarray:
    separators = np.full((len(sequences), 1), SEPARATOR, dtype=np.uint16)
    return np.concatenate([separators, sequences], axis=1).ravel()
