"""What the store knows of corpora and their shards: rows of `raw.corpora` and `raw.corpus_shards`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from memtax.errors import StoreError

LANDED = "landed"
IN_PLACE = "in_place"


@dataclass(frozen=True)
class Corpus:
    """A row of `raw.corpora`."""

    corpus: str
    tokenizer: str | None = None
    tokenizer_checksum: str | None = None
    vocabulary_size: int | None = None
    sequence_length: int | None = None


@dataclass(frozen=True)
class Shard:
    """A row of `raw.corpus_shards`; the meaning of each column is in raw_schema.sql."""

    corpus: str
    shard_id: int
    storage: str
    format: str
    sources: list[str]
    checksum: str
    token_dtype: str
    n_sequences: int
    n_tokens: int
    first_sequence_id: int
    last_sequence_id: int
    shortest_sequence: int
    longest_sequence: int
    layout: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def contiguous(self) -> bool:
        """Whether its sequence ids are all those from first to last."""
        return self.last_sequence_id - self.first_sequence_id + 1 == self.n_sequences

    @property
    def table(self) -> str:
        """Where the tokens are, if they were landed."""
        return f"raw.corpus_sequences_{self.token_dtype}"


SHARD_COLUMNS = tuple(Shard.__dataclass_fields__)
CORPUS_COLUMNS = tuple(Corpus.__dataclass_fields__)


def find_corpus(connection: duckdb.DuckDBPyConnection, name: str) -> Corpus | None:
    """The corpus of that name, if there is one."""
    row = connection.execute(
        f"select {', '.join(CORPUS_COLUMNS)} from raw.corpora where corpus = ?",  # noqa: S608
        [name],
    ).fetchone()
    return None if row is None else Corpus(*row)


def require_corpus(connection: duckdb.DuckDBPyConnection, name: str) -> Corpus:
    """The corpus of that name.

    Raises:
        StoreError: there is none; the message names those there are.
    """
    corpus = find_corpus(connection, name)
    if corpus is None:
        names = [row[0] for row in connection.execute("select corpus from raw.corpora order by corpus").fetchall()]
        there = f"the store has {', '.join(names)}" if names else "the store has none yet"
        raise StoreError(f"no corpus {name!r}; {there}. Land it: memtax ingest corpus {name} SOURCE")
    return corpus


def save_corpus(connection: duckdb.DuckDBPyConnection, corpus: Corpus) -> None:
    """Insert or overwrite the row of a corpus."""
    values = [getattr(corpus, column) for column in CORPUS_COLUMNS]
    marks = ", ".join("?" * len(values))
    connection.execute(
        f"insert or replace into raw.corpora ({', '.join(CORPUS_COLUMNS)}) values ({marks})",  # noqa: S608
        values,
    )


def shards_of(connection: duckdb.DuckDBPyConnection, corpus: str | None = None) -> list[Shard]:
    """The shards of a corpus, or of all, by id."""
    rows = connection.execute(
        f"select {', '.join(SHARD_COLUMNS)} from raw.corpus_shards where corpus = ? or ? is null "  # noqa: S608
        "order by shard_id",
        [corpus, corpus],
    ).fetchall()
    return [_shard(row) for row in rows]


def next_shard_id(connection: duckdb.DuckDBPyConnection) -> int:
    """One more than the largest so far, over all corpora; the first is 1."""
    row = connection.execute("select coalesce(max(shard_id), 0) + 1 from raw.corpus_shards").fetchone()
    assert row is not None
    return int(row[0])


def save_shard(connection: duckdb.DuckDBPyConnection, shard: Shard) -> None:
    """Insert or overwrite the row of a shard."""
    values = [getattr(shard, column) for column in SHARD_COLUMNS]
    values[-1] = None if shard.layout is None else json.dumps(shard.layout)
    marks = ", ".join("?" * len(values))
    connection.execute(
        f"insert or replace into raw.corpus_shards ({', '.join(SHARD_COLUMNS)}) values ({marks})",  # noqa: S608
        values,
    )


def _shard(row: Sequence[Any]) -> Shard:
    values = dict(zip(SHARD_COLUMNS, row, strict=True))
    values["layout"] = None if values["layout"] is None else json.loads(values["layout"])
    return Shard(**values)
