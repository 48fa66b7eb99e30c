"""Landing one shard of a corpus: a copy in the store, or a note of where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from memtax.corpus import registration
from memtax.corpus.batch import TOKEN_TYPES, TokenLimit, check_tokens, token_lists
from memtax.corpus.checksums import BackgroundChecksum
from memtax.corpus.progress import Progress, silent
from memtax.corpus.shards import LANDED, Corpus, Shard, next_shard_id, save_shard, shards_of
from memtax.corpus.source import Source
from memtax.corpus.stream import RecordBatchStream
from memtax.corpus.tokenizer import CorpusTokenizer
from memtax.errors import SourceError

# DuckDB gathers row groups of 122,880 sequences in memory, one a thread; beyond the limit it spills to disk. More
# threads than this wait for the disk.
MEMORY_LIMIT_BYTES = 4 << 30
THREADS = 4


@dataclass(frozen=True)
class Landing:
    """What landing did.

    Attributes:
        shard: the shard as it is registered.
        outcome: 'landed', 'registered' (in place), 'refreshed' (in place, files touched or moved) or 'already landed'.
        notes: more to tell the user.
    """

    shard: Shard
    outcome: str
    notes: tuple[str, ...] = ()


def land_copy(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    source: Source,
    *,
    tokenizer: CorpusTokenizer | None = None,
    dtype: str | None = None,
    append: bool = False,
    progress: Progress = silent,
) -> Landing:
    """Copy a source into the store as one shard of the corpus `name`; the caller holds the transaction.

    Args:
        connection: a writer's connection, inside a transaction.
        name: the corpus, which is made where it does not exist.
        source: the opened files.
        tokenizer: the corpus' own; ids beyond its vocabulary are refused.
        dtype: store tokens as 'uint16' or 'uint32'; by default as the vocabulary or the source asks for.
        append: allow further shards.
        progress: told how far it is.

    Raises:
        SourceError: the source holds what cannot be landed, or the corpus is there with other content.
    """
    shards = shards_of(connection, name)
    corpus = registration.corpus_with_tokenizer(connection, name, shards, tokenizer)
    with BackgroundChecksum(source.paths, source.shape) as checksum:
        if shards:
            # A corpus that is there decides by the checksum; a new one is landed while the checksum is computed.
            progress(0.0, "comparing with what is there")
            same = next((shard for shard in shards if shard.checksum == checksum.result()), None)
            if same is not None:
                registration.save_with_length(connection, corpus, shards)
                return Landing(same, "already landed")
            registration.require_append(name, shards, append)
        token_type = _token_type(source, corpus, dtype)
        limit = registration.token_limit(corpus, token_type, dtype)
        counts = _Counts(registration.next_sequence_id(shards))
        shard_id = next_shard_id(connection)
        table = f"raw.corpus_sequences_{token_type.name}"
        _insert(connection, table, name, shard_id, source, token_type, limit, counts, progress)
        if counts.n_sequences == 0:
            raise SourceError(f"{source.paths[0]} holds no sequences; there is nothing to land")
        if counts.n_tokens == 0:
            raise SourceError(f"{source.paths[0]} holds only empty sequences; there is nothing to land")
        shard = Shard(
            corpus=name,
            shard_id=shard_id,
            storage=LANDED,
            format=source.format,
            sources=[str(path) for path in source.paths],
            checksum=checksum.result(),
            token_dtype=token_type.name,
            n_sequences=counts.n_sequences,
            n_tokens=counts.n_tokens,
            first_sequence_id=counts.first_id,
            last_sequence_id=counts.last_id,
            shortest_sequence=counts.shortest,
            longest_sequence=counts.longest,
        )
    registration.require_distinct_ids(connection, shard, shards, ascending=counts.ascending)
    save_shard(connection, shard)
    registration.save_with_length(connection, corpus, [*shards, shard])
    registration.require_agreement_with_evaluated(connection, shard)
    return Landing(shard, "landed", source.notes)


class _Counts:
    """What is learnt of a shard while its batches pass."""

    def __init__(self, next_id: int) -> None:
        self._next_id = next_id
        self.n_sequences = self.n_tokens = 0
        self.first_id = self.last_id = next_id
        self.shortest, self.longest = np.iinfo(np.int64).max, 0
        self.ascending = True
        self._previous = -1

    def add(self, lengths: np.ndarray, ids: np.ndarray | None) -> np.ndarray:
        """Count a batch; returns its sequence ids, made where the source names none."""
        if ids is None:
            ids = np.arange(self._next_id, self._next_id + len(lengths), dtype=np.int64)
            self._next_id += len(lengths)
        if not len(ids):
            return ids
        self.ascending &= bool(ids[0] > self._previous and (np.diff(ids) > 0).all())
        self._previous = int(ids[-1])
        low, high = int(ids.min()), int(ids.max())
        self.first_id = low if self.n_sequences == 0 else min(self.first_id, low)
        self.last_id = high if self.n_sequences == 0 else max(self.last_id, high)
        self.n_sequences += len(lengths)
        self.n_tokens += int(lengths.sum())
        self.shortest = min(self.shortest, int(lengths.min()))
        self.longest = max(self.longest, int(lengths.max()))
        return ids


def _token_type(source: Source, corpus: Corpus, dtype: str | None) -> np.dtype:
    if dtype is not None and source.format != "bin":
        return TOKEN_TYPES[dtype]
    if corpus.vocabulary_size is not None:
        return TOKEN_TYPES["uint16" if corpus.vocabulary_size <= 1 << 16 else "uint32"]
    return source.stored_type()


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    corpus: str,
    shard_id: int,
    source: Source,
    token_type: np.dtype,
    limit: TokenLimit,
    counts: _Counts,
    progress: Progress,
) -> None:
    where = str(source.paths[0]) + (" …" if len(source.paths) > 1 else "")
    schema = pa.schema([("sequence_id", pa.int64()), ("tokens", pa.list_(pa.from_numpy_dtype(token_type)))])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in source.batches():
            check_tokens(batch, limit, counts.n_sequences, where)
            ids = counts.add(batch.lengths, batch.sequence_ids)
            yield pa.record_batch([pa.array(ids), token_lists(batch, token_type)], schema=schema)
            progress(source.share_read, f"{counts.n_sequences:,} sequences, {counts.n_tokens:,} tokens")

    stream = RecordBatchStream(schema, batches)
    connection.register("landing_sequences", stream)
    try:
        with _bounded(connection):
            connection.execute(
                f"insert into {table} select ?, ?::integer, sequence_id, tokens from landing_sequences",  # noqa: S608
                [corpus, shard_id],
            )
    except duckdb.Error as error:
        if stream.error is not None:
            raise stream.error from None
        raise SourceError(f"{where} could not be landed: {error}; nothing was") from error
    finally:
        connection.unregister("landing_sequences")


@contextmanager
def _bounded(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Bound what DuckDB holds in memory while it lands, whatever the size of the source."""
    memory, threads = connection.execute(
        "select current_setting('memory_limit'), current_setting('threads')"
    ).fetchone()  # type: ignore[misc]
    connection.execute(f"set memory_limit = '{min(_bytes(memory), MEMORY_LIMIT_BYTES)}B'")
    connection.execute(f"set threads = {min(int(threads), THREADS)}")
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # after an error the transaction takes no more statements, and nothing was landed
            connection.execute(f"set memory_limit = '{memory}'")
            connection.execute(f"set threads = {threads}")


def _bytes(setting: str) -> int:
    """DuckDB's '18.6 GiB' as a number."""
    number, unit = setting.split()
    return int(float(number) * 1024 ** ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB").index(unit))
