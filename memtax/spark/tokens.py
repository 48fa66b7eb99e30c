"""Tokens of a corpus that stays in its files, read where a task runs.

What travels through Spark is a place, the shard's description and a row of it; each task maps the bytes of its own rows, a
batch at a time. So no token passes through the JVM, and a task's memory is that of a batch, whatever the corpus' size.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from memtax.corpus.batch import token_lists
from memtax.corpus.layout import open_layout
from memtax.corpus.mapped import MappedTokens
from memtax.corpus.shards import Shard


def describe(shard: Shard, path: Path) -> None:
    """Write what a task needs to know of an in-place shard to a file."""
    path.write_text(json.dumps(asdict(shard)), encoding="utf-8")


def read_tokens(source: str, rows: np.ndarray, wanted: pa.ListType) -> pa.ListArray:
    """The tokens of some rows of a shard.

    Args:
        source: the name of the file that `describe` wrote, which the session has sent to its executors.
        rows: int64 [n], 0-based, ascending.
        wanted: list<uint16> or list<uint32>, as the shard's tokens are.

    Raises:
        SourceError: a file of the corpus is gone on this machine, or has changed since it was registered.
    """
    mapped = _open(source)
    dtype = np.dtype(wanted.value_type.to_pandas_dtype())
    parts = []
    bounds = np.concatenate(([0], np.flatnonzero(np.diff(rows) != 1) + 1, [len(rows)]))
    for begin, end in pairwise(bounds):
        first = int(rows[begin])
        parts += [token_lists(batch, dtype) for batch in mapped.batches(first, first + int(end - begin))]
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


@lru_cache(maxsize=8)
def _open(source: str) -> MappedTokens:
    from pyspark import SparkFiles

    return open_layout(Shard(**json.loads(Path(SparkFiles.get(source)).read_text(encoding="utf-8"))))
