"""The nearest evaluated sequences of a text, or of one of them, by the cosine of their embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from memtax import store
from memtax.corpus.progress import Progress, silent
from memtax.errors import StoreError
from memtax.neighbours.index import fresh_index, open_index, stored_embeddings
from udf.embedding.loading import DIMENSIONS

# Without an index, that many embeddings are compared in well under a second.
SCANNED = 100_000
# An approximate index and filters take from what it finds, so more is asked for than is wanted.
_MARGIN = 8

_VECTOR = f"cast(? as float[{DIMENSIONS}])"
_MEASURE = f"""
    select
        corpus,
        sequence_id,
        token_offset,
        array_cosine_similarity(embedding, {_VECTOR}) as cosine,
        prompt_text,
        continuation_text
    from {{rows}}
    inner join intermediate.int_sequence__embedding using (corpus, sequence_id, token_offset)
    inner join main.feat_sequence__text using (corpus, sequence_id, token_offset)
    where is_embedded {{conditions}}
    order by cosine desc, corpus, sequence_id, token_offset
    limit ?
"""  # noqa: S608 - a whole number of this module
_NOT_ITSELF = "and (corpus, sequence_id, token_offset) is distinct from (?, ?, ?)"
_IN_DATASET = "(select corpus, sequence_id, token_offset from main.dataset_members where dataset = ?)"

Key = tuple[str, int, int]


@dataclass(frozen=True)
class Neighbour:
    """One evaluated sequence, and the cosine of its embedding with what was asked for."""

    corpus: str
    sequence_id: int
    token_offset: int
    cosine: float
    prompt: str
    continuation: str


def require_dataset(connection: duckdb.DuckDBPyConnection, dataset: str) -> None:
    """Raise a StoreError that names the datasets that there are, unless `dataset` is one of them."""
    store.require_table(connection, "main", "dataset_members", "run dbt run first")
    known = [
        name
        for (name,) in connection.execute("select distinct dataset from main.dataset_members order by 1").fetchall()
    ]
    if dataset not in known:
        raise StoreError(f"the store has no dataset {dataset!r}; it has {', '.join(known) or 'none'}")


def nearest_to_vector(
    connection: duckdb.DuckDBPyConnection,
    vector: np.ndarray,
    limit: int,
    *,
    dataset: str | None = None,
    progress: Progress = silent,
) -> list[Neighbour]:
    """The nearest evaluated sequences, nearest first; the index is made where it is missing.

    Args:
        connection: a reading session.
        vector: float32 [384].
        limit: how many.
        dataset: only sequences of this dataset; these are compared one by one.
        progress: see `open_index`.

    Raises:
        StoreError, MissingExtraError: see `open_index`.
    """
    if dataset is not None:
        stored_embeddings(connection)
        return _measure(connection, vector, limit, _IN_DATASET, [dataset])
    keys = open_index(connection, progress).nearest(vector, limit * _MARGIN)
    return _measure_keys(connection, vector, limit, keys)


def nearest_to_sequence(connection: duckdb.DuckDBPyConnection, key: Key, limit: int) -> list[Neighbour] | None:
    """The nearest other evaluated sequences of one of them; None if it has no embedding, or only an index could tell.

    Args:
        connection: a reading session on a store that holds embeddings.
        key: corpus, sequence_id, token_offset.
        limit: how many.
    """
    row = connection.execute(
        "select embedding from intermediate.int_sequence__embedding "
        "where corpus = ? and sequence_id = ? and token_offset = ? and is_embedded",
        list(key),
    ).fetchone()
    if row is None:
        return None
    vector = np.array(row[0], dtype=np.float32)
    if stored_embeddings(connection)[0] <= SCANNED:
        rows = "(select corpus, sequence_id, token_offset from main.dim_evaluated_sequences)"
        return _measure(connection, vector, limit, rows, [], key)
    index = fresh_index(connection)
    if index is None:
        return None
    return _measure_keys(connection, vector, limit, index.nearest(vector, (limit + 1) * _MARGIN), key)


def _measure_keys(
    connection: duckdb.DuckDBPyConnection, vector: np.ndarray, limit: int, keys: pa.Table, own: Key | None = None
) -> list[Neighbour]:
    connection.register("neighbour_keys", keys)
    try:
        return _measure(connection, vector, limit, "neighbour_keys", [], own)
    finally:
        connection.unregister("neighbour_keys")


def _measure(
    connection: duckdb.DuckDBPyConnection,
    vector: np.ndarray,
    limit: int,
    rows: str,
    parameters: list[object],
    own: Key | None = None,
) -> list[Neighbour]:
    sql = _MEASURE.format(rows=rows, conditions="" if own is None else _NOT_ITSELF)
    found = connection.execute(sql, [vector.tolist(), *parameters, *(own or ()), limit]).fetchall()
    return [Neighbour(*row) for row in found]
