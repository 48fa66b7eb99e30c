"""The sequences of a corpus that a window fits in, by id, found without a look at their tokens if possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import duckdb
import numpy as np
import numpy.typing as npt

from memtax.corpus.layout import open_layout
from memtax.corpus.shards import LANDED, Shard


@dataclass(frozen=True)
class Population:
    """Sequence ids in ascending order, held as runs of neighbours and lists.

    Attributes:
        pieces: ranges or (n,) int64 arrays, each ascending, none overlapping the next.
    """

    pieces: tuple[range | npt.NDArray[np.int64], ...]

    def __len__(self) -> int:
        return sum(len(piece) for piece in self.pieces)

    def ids(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The sequence ids at these positions, which ascend."""
        found, begin = [np.empty(0, np.int64)], 0
        for piece in self.pieces:
            low, high = np.searchsorted(positions, (begin, begin + len(piece)))
            here = positions[low:high] - begin
            found.append(here + piece.start if isinstance(piece, range) else piece[here])
            begin += len(piece)
        return np.concatenate(found)


def sequences_of_at_least(connection: duckdb.DuckDBPyConnection, shards: Sequence[Shard], length: int) -> Population:
    """The sequences of these shards that hold at least `length` tokens."""
    pieces = [_eligible(connection, shard, length) for shard in shards]
    pieces = sorted((piece for piece in pieces if len(piece)), key=lambda piece: piece[0])
    overlapping = any(left[-1] > right[0] for left, right in pairwise(pieces))
    if overlapping:  # shards that name their ids may interleave
        pieces = [np.sort(np.concatenate([np.asarray(piece, np.int64) for piece in pieces]))]
    return Population(tuple(pieces))


def _eligible(connection: duckdb.DuckDBPyConnection, shard: Shard, length: int) -> range | npt.NDArray[np.int64]:
    if shard.longest_sequence < length:
        return range(0)
    every_one_fits = shard.shortest_sequence >= length
    if every_one_fits and shard.contiguous:
        return range(shard.first_sequence_id, shard.last_sequence_id + 1)
    if shard.storage != LANDED:
        return open_layout(shard).index.at_least(length) + shard.first_sequence_id
    long_enough = "" if every_one_fits else f"and len(tokens) >= {int(length)}"
    found = connection.execute(
        f"select sequence_id from {shard.table} where shard_id = ? {long_enough} order by sequence_id",  # noqa: S608
        [shard.shard_id],
    ).fetchnumpy()
    return np.asarray(found["sequence_id"], np.int64)
