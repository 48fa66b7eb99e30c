"""The windows of a published source in the store: landed with its tokens or with the corpus', and held to the corpus."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from memtax.corpus import registration
from memtax.corpus.progress import Progress
from memtax.corpus.reader import WINDOWS_AT_ONCE, iter_windows
from memtax.corpus.shards import find_corpus, shards_of
from memtax.datasets.published_source import PublishedRows, first_beyond, refuse_tokens, sound_tokens
from memtax.datasets.store import insert_sequences, insert_sequences_from
from memtax.errors import SourceError


def land_tokens(connection: duckdb.DuckDBPyConnection, corpus: str, rows: PublishedRows, length: int) -> None:
    """Insert the windows of a source, which are checked in the scan that inserts them.

    Raises:
        SourceError: a row's tokens are no window of `length` tokens of the vocabulary, or the store has others of its key.
    """
    known = find_corpus(connection, corpus)
    sound = sound_tokens(length, known.vocabulary_size if known else None)
    low, high = int(rows.keys.ids.min()), int(rows.keys.ids.max())
    there = connection.execute(
        "select 1 from raw.evaluated_sequences where corpus = ? and sequence_id between ? and ? limit 1",
        [corpus, low, high],
    ).fetchone()
    if there is None:
        # Sorting takes longer than all the rest; only what reads a corpus beside the windows needs it.
        order = "" if rows.keys.ascends or not shards_of(connection, corpus) else " order by sequence_id, token_offset"
        inserted = connection.execute(
            "insert into raw.evaluated_sequences (corpus, sequence_id, token_offset, tokens) "  # noqa: S608
            f"select ?, sequence_id, token_offset, tokens from {rows.relation} where {sound}{order}",
            [corpus],
        ).fetchone()
        assert inserted is not None
        n_sound = inserted[0]
    else:
        (n_sound,) = connection.execute(f"select count(*) from {rows.relation} where {sound}").fetchone()  # type: ignore[misc]  # noqa: S608
    if n_sound < len(rows.keys):
        refuse_tokens(connection, rows, length)
        _refuse_beyond_vocabulary(connection, corpus, rows)
    if there is not None:
        insert_sequences_from(connection, corpus, rows.relation, low, high)


def fill_from_corpus(
    connection: duckdb.DuckDBPyConnection, corpus: str, rows: PublishedRows, length: int, progress: Progress
) -> int:
    """Read the windows' tokens from the corpus, for a source that names them only; returns how many.

    Raises:
        SourceError: the corpus does not hold one of them.
    """
    done = 0
    for ids, offsets in _chunks(rows):
        read = np.zeros(len(ids), bool)
        for found, tokens in iter_windows(connection, corpus, ids, offsets, length):
            insert_sequences(connection, corpus, ids[found], offsets[found], tokens)
            read[found] = True
        if not read.all():
            missing = int(np.argmin(read))
            raise SourceError(
                f"{rows.where} has no tokens, and corpus {corpus!r} does not hold {length} tokens of sequence "
                f"{ids[missing]} from offset {offsets[missing]}; land the corpus first, or a source with a tokens "
                "column"
            )
        done += len(ids)
        progress(done / len(rows.keys), f"{done:,} windows")
    return done


def compare_with_corpus(
    connection: duckdb.DuckDBPyConnection, corpus: str, rows: PublishedRows, length: int, progress: Progress
) -> int:
    """Hold the windows, as they are in the store now, to the corpus where it is landed; returns how many it holds.

    Raises:
        SourceError: the tokens of one differ.
    """
    compared = done = 0
    if not shards_of(connection, corpus):
        return compared
    complaint = f"{rows.where} disagrees with corpus {corpus!r}"
    for ids, offsets in _chunks(rows):
        connection.register("chunk_of_keys", pa.table({"sequence_id": ids, "token_offset": offsets}))
        try:
            tokens = connection.execute(
                "select tokens from raw.evaluated_sequences semi join chunk_of_keys using (sequence_id, token_offset) "
                "where corpus = ? and sequence_id between ? and ? order by sequence_id, token_offset",
                [corpus, int(ids[0]), int(ids[-1])],
            ).to_arrow_table()
        finally:
            connection.unregister("chunk_of_keys")
        windows = tokens.column(0).combine_chunks().flatten().to_numpy().reshape(len(ids), length)
        compared += registration.require_equal_windows(connection, corpus, ids, offsets, windows, complaint)
        done += len(ids)
        progress(done / len(rows.keys), f"{done:,} windows compared")
    return compared


def _refuse_beyond_vocabulary(connection: duckdb.DuckDBPyConnection, name: str, rows: PublishedRows) -> None:
    corpus = find_corpus(connection, name)
    assert corpus is not None, name
    assert corpus.vocabulary_size is not None, name
    beyond = first_beyond(connection, rows, corpus.vocabulary_size)
    assert beyond is not None, "every row passed alone, and not together"
    raise SourceError(
        f"{rows.where} has token id {beyond[1]} in row {beyond[0]}, and the tokenizer {corpus.tokenizer} of corpus "
        f"{name!r} has {corpus.vocabulary_size:,} entries; they are of different corpora"
    )


def _chunks(rows: PublishedRows) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The sequence ids and token offsets of the windows, ascending, a chunk at a time."""
    keys = rows.keys
    for first in range(0, len(keys), WINDOWS_AT_ONCE):
        chunk = keys.order[first : first + WINDOWS_AT_ONCE]
        ids = keys.ids[chunk]
        yield ids, np.zeros(len(ids), np.int64) if keys.offsets is None else keys.offsets[chunk]
