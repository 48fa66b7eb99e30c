"""Registering a shard that stays in its files."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np

from memtax.corpus import registration
from memtax.corpus.batch import TOKEN_TYPES, TokenBatch, check_tokens
from memtax.corpus.checksums import BLOCK_BYTES, blocks_checksum, times_checksum
from memtax.corpus.land import Landing
from memtax.corpus.layout import describe_layout
from memtax.corpus.mapped import MappedTokens
from memtax.corpus.shards import IN_PLACE, Corpus, Shard, next_shard_id, save_shard, shards_of
from memtax.corpus.source import Source
from memtax.corpus.tokenizer import CorpusTokenizer
from memtax.errors import SourceError

SAMPLED_RUNS = 256


def register_in_place(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    source: Source,
    *,
    tokenizer: CorpusTokenizer | None = None,
    append: bool = False,
) -> Landing:
    """Note where a source lies as one shard of the corpus `name`; the caller holds the transaction.

    Token ids are checked in runs spread over the files, not everywhere: a file too large to copy is also too large to
    read through for a command that should take seconds.

    Raises:
        SourceError: the format or token type cannot be scanned in place, sampled ids are beyond the vocabulary, or the
            corpus is there with other content.
    """
    mapped = _require_mappable(source)
    shards = shards_of(connection, name)
    corpus = registration.corpus_with_tokenizer(connection, name, shards, tokenizer)
    blocks = blocks_checksum(source.paths, source.shape)
    checksum = times_checksum(source.paths, blocks)
    layout = describe_layout(mapped, source.paths, blocks)
    for shard in shards:
        if shard.layout is None or shard.layout["blocks"] != blocks:
            continue
        unchanged = shard.checksum == checksum and shard.layout == layout
        if not unchanged:
            shard = replace(shard, checksum=checksum, layout=layout, sources=[str(path) for path in source.paths])
            save_shard(connection, shard)
        registration.save_with_length(connection, corpus, shards)
        return Landing(shard, "already landed" if unchanged else "refreshed")
    if shards:
        registration.require_append(name, shards, append)
    token_type = TOKEN_TYPES["uint16" if mapped.dtype.itemsize == 2 else "uint32"]
    _check_sampled(mapped, source, corpus, token_type)
    first = registration.next_sequence_id(shards)
    shard = Shard(
        corpus=name,
        shard_id=next_shard_id(connection),
        storage=IN_PLACE,
        format=source.format,
        sources=[str(path) for path in source.paths],
        checksum=checksum,
        token_dtype=token_type.name,
        n_sequences=mapped.n_sequences,
        n_tokens=mapped.n_tokens,
        first_sequence_id=first,
        last_sequence_id=first + mapped.n_sequences - 1,
        shortest_sequence=mapped.index.shortest,
        longest_sequence=mapped.index.longest,
        layout=layout,
    )
    registration.require_distinct_ids(connection, shard, shards, ascending=True)
    save_shard(connection, shard)
    registration.save_with_length(connection, corpus, [*shards, shard])
    registration.require_agreement_with_evaluated(connection, shard)
    return Landing(shard, "registered", ("token ids were checked in sampled blocks only",))


def _require_mappable(source: Source) -> MappedTokens:
    if source.mapped is None:
        raise SourceError(
            f"{source.format} cannot be scanned in place, since its tokens do not lie flat in the file; leave "
            "--in-place out, or convert to bin, mmap or npy"
        )
    dtype = source.mapped.dtype
    if dtype.itemsize not in (2, 4):
        raise SourceError(
            f"{source.paths[0]} holds {dtype}, and only tokens of 2 or 4 bytes can be scanned in place; leave "
            "--in-place out to land a copy of the width that fits"
        )
    return source.mapped


def _check_sampled(mapped: MappedTokens, source: Source, corpus: Corpus, token_type: np.dtype) -> None:
    """Check ids in up to SAMPLED_RUNS runs of sequences, the first and last included."""
    limit = registration.token_limit(corpus, token_type)
    rows = max(1, BLOCK_BYTES * mapped.n_sequences // (mapped.n_tokens * mapped.dtype.itemsize))
    last = max(mapped.n_sequences - rows, 0)
    where = str(source.paths[0]) + (" …" if len(source.paths) > 1 else "")
    for first in np.unique(np.linspace(0, last, SAMPLED_RUNS).astype(np.int64)).tolist():
        row = first
        for batch in mapped.batches(first, min(first + rows, mapped.n_sequences)):
            check_tokens(TokenBatch(batch.values, batch.offsets), limit, row, where)
            row += len(batch)
