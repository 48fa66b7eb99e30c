"""Drawing a dataset from a corpus."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import duckdb
import numpy as np

from memtax.corpus.progress import Progress, silent
from memtax.corpus.reader import WINDOWS_AT_ONCE, iter_windows
from memtax.corpus.shards import Shard, require_corpus, shards_of
from memtax.datasets.draw import draw_positions
from memtax.datasets.population import sequences_of_at_least
from memtax.datasets.store import Dataset, insert_windows, make_room, save_dataset
from memtax.errors import SourceError


@dataclass(frozen=True)
class Sampling:
    """What sampling did.

    Attributes:
        dataset: its row.
        population: how many sequences of the corpus the windows were drawn from; None where nothing was drawn.
    """

    dataset: Dataset
    population: int | None


def sample(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    corpus: str,
    n: int | None,
    seed: int,
    length: int,
    *,
    token_offsets: Sequence[int] = (0,),
    replace: bool = False,
    progress: Progress = silent,
) -> Sampling:
    """Draw `n` sequences uniformly, without replacement, from all of a corpus that are long enough, and take their windows.

    With several offsets each sequence drawn gives a window at each of them, so that what differs between offsets is not the
    sequences. The same corpus, `n`, `seed` and `token_offsets` give the same windows on every machine. A dataset that is
    there from the same call stays as it is.

    Args:
        connection: inside a writer's transaction, which the caller commits.
        name: of the dataset.
        corpus: to draw from.
        n: how many; None takes every sequence.
        seed: not negative.
        length: tokens of a window.
        token_offsets: where the windows begin in their sequence; distinct.
        replace: drop another dataset of that name first.
        progress: told how far it is.

    Raises:
        StoreError: there is no such corpus.
        SourceError: the corpus has too few sequences of that length, or the dataset is there from another call.
    """
    require_corpus(connection, corpus)
    shards = shards_of(connection, corpus)
    if not shards:
        raise SourceError(
            f"corpus {corpus!r} has no tokens in the store yet; land them: memtax ingest corpus {corpus} SOURCE"
        )
    dataset = Dataset(name, corpus, "sample", _checksum(shards, n, seed, token_offsets, length), n or 0, seed)
    again = ["memtax", "sample", name, "--corpus", corpus, "--n", "all" if n is None else str(n)]
    again += ["--seed", str(seed), "--token-offset", ",".join(map(str, token_offsets))]
    if not make_room(connection, dataset, replace=replace, again=shlex.join(again)):
        return Sampling(dataset, None)
    needed = max(token_offsets) + length
    population = sequences_of_at_least(connection, shards, needed)
    available = len(population)
    if available == 0 or (n is not None and n > available):
        total = sum(shard.n_sequences for shard in shards)
        raise SourceError(
            f"corpus {corpus!r} has {available:,} sequences of at least {needed:,} tokens (offset {max(token_offsets)} and a "
            f"window of {length}; {total:,} in all), and {'all' if n is None else f'{n:,}'} were asked for; choose a "
            "smaller --n or --token-offset"
        )
    positions = range(available) if n is None else draw_positions(available, n, seed)
    done, wanted = 0, len(positions) * len(token_offsets)
    for first in range(0, len(positions), WINDOWS_AT_ONCE):
        ids = population.ids(np.asarray(positions[first : first + WINDOWS_AT_ONCE], np.int64))
        for token_offset in token_offsets:
            offsets = np.full(len(ids), token_offset, np.int64)
            for rows, tokens in iter_windows(connection, corpus, ids, offsets, length):
                insert_windows(connection, name, corpus, ids[rows], offsets[rows], tokens)
                done += len(rows)
                progress(done / wanted, f"{done:,} windows")
    if done != wanted:
        raise SourceError(
            f"{wanted:,} windows were drawn from corpus {corpus!r}, and {done:,} could be read; its shards and "
            "its tokens do not agree: land it again under another name, and report this as a bug"
        )
    dataset = Dataset(name, corpus, dataset.origin, dataset.checksum, done, seed)
    save_dataset(connection, dataset)
    return Sampling(dataset, available)


def _checksum(shards: Sequence[Shard], n: int | None, seed: int, token_offsets: Sequence[int], length: int) -> str:
    # A file in place that was only touched holds the same tokens, so its blocks stand for it and not its time.
    tokens = [shard.layout["blocks"] if shard.layout else shard.checksum for shard in shards]
    # One offset is written as it always was, so that samples drawn by an earlier memtax are still known.
    offset = token_offsets[0] if len(token_offsets) == 1 else list(token_offsets)
    what = {"shards": tokens, "n": n, "seed": seed, "token_offset": offset, "length": length}
    return sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
