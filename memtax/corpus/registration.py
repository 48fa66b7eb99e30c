"""The rules of a corpus as a whole: one tokenizer, distinct sequence ids, one content under one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb
import numpy as np
import pyarrow.compute as pc

from memtax.corpus.batch import TokenLimit
from memtax.corpus.reader import iter_windows
from memtax.corpus.shards import LANDED, Corpus, Shard, find_corpus, save_corpus
from memtax.corpus.tokenizer import CorpusTokenizer
from memtax.errors import SourceError

COMPARED_AT_ONCE = 100_000


def corpus_with_tokenizer(
    connection: duckdb.DuckDBPyConnection, name: str, shards: Sequence[Shard], tokenizer: CorpusTokenizer | None
) -> Corpus:
    """The corpus as it is or will be, with the tokenizer that was given; nothing is written.

    Raises:
        SourceError: it has another tokenizer, or landed tokens beyond the vocabulary of the one that was given.
    """
    corpus = find_corpus(connection, name) or Corpus(name)
    if tokenizer is None:
        return corpus
    if corpus.tokenizer_checksum not in (None, tokenizer.checksum):
        raise SourceError(
            f"corpus {name!r} has the tokenizer {corpus.tokenizer}, and {tokenizer.location} is another (its "
            "tokenizer.json differs); leave --tokenizer out, or land under another name"
        )
    if corpus.tokenizer_checksum is None:
        for shard in shards:
            _require_within_vocabulary(connection, shard, tokenizer)
    return replace(
        corpus,
        tokenizer=tokenizer.location,
        tokenizer_checksum=tokenizer.checksum,
        vocabulary_size=tokenizer.vocabulary_size,
    )


def require_append(name: str, shards: Sequence[Shard], append: bool) -> None:
    """Refuse another shard unless it was asked for.

    Raises:
        SourceError: it was not.
    """
    if not append:
        sources = ", ".join(source for shard in shards for source in shard.sources[:2])
        raise SourceError(
            f"corpus {name!r} is there with other content (from {sources}); add these sequences to it with --append, "
            "or choose another name"
        )


def next_sequence_id(shards: Sequence[Shard]) -> int:
    """The first id of a shard whose source names none."""
    return max((shard.last_sequence_id + 1 for shard in shards), default=0)


def token_limit(corpus: Corpus, token_type: np.dtype, dtype: str | None = None) -> TokenLimit:
    """The first id that a shard of this corpus cannot hold when stored as `token_type`."""
    width = 1 << 8 * token_type.itemsize
    if corpus.vocabulary_size is not None and corpus.vocabulary_size <= width:
        return TokenLimit(
            corpus.vocabulary_size, f"the tokenizer {corpus.tokenizer} has {corpus.vocabulary_size:,} entries"
        )
    asked = " (--dtype)" if dtype is not None else ""
    return TokenLimit(width, f"{token_type.name}{asked} holds ids up to {width - 1:,}")


def require_distinct_ids(
    connection: duckdb.DuckDBPyConnection, shard: Shard, earlier: Sequence[Shard], *, ascending: bool
) -> None:
    """Refuse a shard just inserted that names a sequence twice, or one that another shard of the corpus has.

    Raises:
        SourceError: naming the first such id.
    """
    if not ascending:
        twice = connection.execute(
            f"select sequence_id, count(*) from {shard.table} where shard_id = ? "  # noqa: S608
            "group by sequence_id having count(*) > 1 order by sequence_id limit 1",
            [shard.shard_id],
        ).fetchone()
        if twice is not None:
            raise SourceError(
                f"{shard.sources[0]} has sequence_id {twice[0]} {twice[1]} times; every sequence needs an id of its own"
            )
    for other in earlier:
        if other.last_sequence_id < shard.first_sequence_id or other.first_sequence_id > shard.last_sequence_id:
            continue
        shared = _first_shared_id(connection, shard, other)
        if shared is not None:
            raise SourceError(
                f"{shard.sources[0]} has sequence_id {shared}, which corpus {shard.corpus!r} already has from "
                f"{other.sources[0]}; every sequence of a corpus needs an id of its own"
            )


def save_with_length(connection: duckdb.DuckDBPyConnection, corpus: Corpus, shards: Sequence[Shard]) -> None:
    """Write the corpus' row, with the length that all sequences share, or NULL."""
    lengths = {length for shard in shards for length in (shard.shortest_sequence, shard.longest_sequence)}
    length = lengths.pop() if len(lengths) == 1 else None
    save_corpus(connection, replace(corpus, sequence_length=length))


def require_agreement_with_evaluated(connection: duckdb.DuckDBPyConnection, shard: Shard) -> None:
    """Refuse a shard whose tokens differ from evaluated sequences that were landed under its corpus' name before it.

    Raises:
        SourceError: naming the first that differs.
    """
    cursor = connection.execute(
        "select sequence_id, token_offset, tokens from raw.evaluated_sequences "
        "where corpus = ? and sequence_id between ? and ? order by sequence_id, token_offset",
        [shard.corpus, shard.first_sequence_id, shard.last_sequence_id],
    ).to_arrow_table()
    complaint = f"{shard.sources[0]} does not hold the sequences that were evaluated under the name {shard.corpus!r}"
    for batch in cursor.to_batches(COMPARED_AT_ONCE):
        lengths = pc.list_value_length(batch.column("tokens"))
        # Datasets of windows of different lengths may share a corpus, and only those of one length stack.
        for length in pc.unique(lengths).drop_null().to_pylist():
            windows = batch.filter(pc.equal(lengths, length))
            require_equal_windows(
                connection,
                shard.corpus,
                windows.column("sequence_id").to_numpy(),
                windows.column("token_offset").to_numpy().astype(np.int64),
                np.stack(windows.column("tokens").to_numpy(zero_copy_only=False)),
                complaint,
            )


def require_equal_windows(
    connection: duckdb.DuckDBPyConnection,
    corpus: str,
    sequence_ids: np.ndarray,
    token_offsets: np.ndarray,
    tokens: np.ndarray,
    complaint: str,
) -> int:
    """Refuse windows that differ from the corpus' tokens; those of sequences that it does not have pass.

    Args:
        connection: with the corpus.
        corpus: its name.
        sequence_ids: (n,) int64, ascending.
        token_offsets: (n,) int64.
        tokens: (n, length) what the windows are said to hold.
        complaint: how the error begins.

    Returns:
        How many windows were compared.

    Raises:
        SourceError: naming the first window that differs, and where.
    """
    compared = 0
    for rows, found in iter_windows(connection, corpus, sequence_ids, token_offsets, tokens.shape[1]):
        compared += len(rows)
        differs = (found != tokens[rows]).any(axis=1)
        if differs.any():
            place = int(np.argmax(differs))
            row = rows[place]
            position = int(np.argmax(found[place] != tokens[row]))
            raise SourceError(
                f"{complaint}: sequence_id {sequence_ids[row]} has token {found[place, position]} at position "
                f"{int(token_offsets[row]) + position} of corpus {corpus!r}, and {tokens[row, position]} in the "
                "window; they are of different corpora, or the ids count from another start"
            )
    return compared


def _require_within_vocabulary(connection: duckdb.DuckDBPyConnection, shard: Shard, tokenizer: CorpusTokenizer) -> None:
    if shard.storage != LANDED:
        return  # their ids were only ever sampled
    beyond = connection.execute(
        f"select sequence_id, list_max(tokens) from {shard.table} "  # noqa: S608
        "where shard_id = ? and list_max(tokens) >= ? order by sequence_id limit 1",
        [shard.shard_id, tokenizer.vocabulary_size],
    ).fetchone()
    if beyond is not None:
        raise SourceError(
            f"corpus {shard.corpus!r} holds token id {beyond[1]} in sequence {beyond[0]}, and the tokenizer "
            f"{tokenizer.location} has {tokenizer.vocabulary_size:,} entries; it is not the tokenizer of this corpus"
        )


def _first_shared_id(connection: duckdb.DuckDBPyConnection, shard: Shard, other: Shard) -> int | None:
    low = max(shard.first_sequence_id, other.first_sequence_id)
    high = min(shard.last_sequence_id, other.last_sequence_id)
    if shard.contiguous and other.contiguous:
        return low
    # At least one names its ids, so it was landed; a contiguous partner needs no look at its rows.
    sides = [
        f"select sequence_id from {side.table} where shard_id = {side.shard_id}"  # noqa: S608
        for side in (shard, other)
        if not side.contiguous
    ]
    query = " intersect ".join(f"({side} and sequence_id between {low} and {high})" for side in sides)
    found = connection.execute(f"select min(sequence_id) from ({query})").fetchone()  # noqa: S608
    return None if found is None else found[0]
