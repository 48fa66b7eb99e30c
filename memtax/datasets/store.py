"""Datasets in the store: rows of `raw.datasets`, `raw.dataset_members` and `raw.evaluated_sequences`."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from memtax.errors import SourceError


@dataclass(frozen=True)
class Dataset:
    """A row of `raw.datasets`; the meaning of each column is in raw_schema.sql."""

    dataset: str
    corpus: str
    origin: str
    checksum: str
    n_sequences: int
    seed: int | None = None


COLUMNS = tuple(Dataset.__dataclass_fields__)


def find_dataset(connection: duckdb.DuckDBPyConnection, name: str) -> Dataset | None:
    """The dataset of that name, if there is one."""
    row = connection.execute(
        f"select {', '.join(COLUMNS)} from raw.datasets where dataset = ?",  # noqa: S608
        [name],
    ).fetchone()
    return None if row is None else Dataset(*row)


def make_room(connection: duckdb.DuckDBPyConnection, dataset: Dataset, *, replace: bool, again: str) -> bool:
    """Whether `dataset` is still to be landed; one of its name that differs goes first if `replace`.

    Args:
        connection: inside a writer's transaction.
        dataset: what is to be landed; its checksum says whether it is there already.
        replace: drop what is there under the name.
        again: the command that would replace it, for the error.

    Returns:
        False where it is there already.

    Raises:
        SourceError: the name is taken by another dataset, and `replace` is not set.
    """
    there = find_dataset(connection, dataset.dataset)
    if there is None:
        require_no_features(connection, dataset.dataset)
        return True
    if there.checksum == dataset.checksum:
        return False
    if not replace:
        seed = "" if there.seed is None else f", seed {there.seed}"
        raise SourceError(
            f"dataset {dataset.dataset!r} is there and differs: {there.n_sequences:,} sequences of corpus "
            f"{there.corpus!r} from {there.origin}{seed} (or the corpus has changed since); choose another name, or "
            f"drop it with {again} --replace"
        )
    _drop(connection, dataset.dataset)
    return True


def require_no_features(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Refuse a name under which a ready feature table was landed: `features` would have its rows twice.

    Raises:
        SourceError: there is one.
    """
    taken = connection.execute("select origin from raw.feature_tables where dataset = ? limit 1", [name]).fetchone()
    if taken is not None:
        raise SourceError(
            f"{name!r} is a ready feature table, landed from {taken[0]}; land these sequences under another name"
        )


def save_dataset(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> None:
    """Insert the row of a dataset."""
    connection.execute(
        f"insert into raw.datasets ({', '.join(COLUMNS)}) values (?, ?, ?, ?, ?, ?)",  # noqa: S608
        [getattr(dataset, column) for column in COLUMNS],
    )


def insert_windows(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    corpus: str,
    sequence_ids: npt.NDArray[np.int64],
    token_offsets: npt.NDArray[np.int64],
    tokens: npt.NDArray[np.uint32],
) -> None:
    """Make windows members of a dataset, and evaluated sequences where they are not yet.

    Args:
        connection: inside a writer's transaction.
        dataset: its name.
        corpus: its corpus' name.
        sequence_ids: (n,) ascending.
        token_offsets: (n,).
        tokens: (n, length).

    Raises:
        SourceError: a window is there already with other tokens.
    """
    insert_sequences(connection, corpus, sequence_ids, token_offsets, tokens)
    connection.register("incoming_members", _windows(sequence_ids, token_offsets, tokens))
    try:
        connection.execute(
            "insert into raw.dataset_members (dataset, corpus, sequence_id, token_offset) "
            "select ?, ?, sequence_id, token_offset from incoming_members",
            [dataset, corpus],
        )
    finally:
        connection.unregister("incoming_members")


def insert_sequences(
    connection: duckdb.DuckDBPyConnection,
    corpus: str,
    sequence_ids: npt.NDArray[np.int64],
    token_offsets: npt.NDArray[np.int64],
    tokens: npt.NDArray[np.uint32],
) -> None:
    """Insert the windows that are no evaluated sequences yet; arguments and errors as of `insert_windows`."""
    connection.register("incoming_windows", _windows(sequence_ids, token_offsets, tokens))
    try:
        low, high = int(sequence_ids[0]), int(sequence_ids[-1])
        insert_sequences_from(connection, corpus, "incoming_windows", low, high)
    finally:
        connection.unregister("incoming_windows")


def _windows(
    sequence_ids: npt.NDArray[np.int64], token_offsets: npt.NDArray[np.int64], tokens: npt.NDArray[np.uint32]
) -> pa.Table:
    values = pa.array(np.ascontiguousarray(tokens).reshape(-1))
    bounds = pa.array(np.arange(len(tokens) + 1, dtype=np.int32) * tokens.shape[1])
    return pa.table(
        {
            "sequence_id": pa.array(sequence_ids),
            "token_offset": pa.array(token_offsets.astype(np.int32)),
            "tokens": pa.ListArray.from_arrays(bounds, values),
        }
    )


def insert_sequences_from(
    connection: duckdb.DuckDBPyConnection, corpus: str, relation: str, low: int, high: int
) -> None:
    """`insert_sequences` from a relation with the columns sequence_id (all within low … high), token_offset and tokens.

    Raises:
        SourceError: a window is there already with other tokens.
    """
    # The bounds keep a long landing from reading all that is there for every chunk.
    there = "select * from raw.evaluated_sequences where corpus = ? and sequence_id between ? and ?"
    bounds = [corpus, low, high]
    other = connection.execute(
        "select sequence_id, token_offset, len(there.tokens), len(incoming.tokens) "  # noqa: S608
        f"from {relation} as incoming "
        f"inner join ({there}) as there using (sequence_id, token_offset) "
        "where there.tokens is distinct from incoming.tokens order by all limit 1",
        bounds,
    ).fetchone()
    if other is not None:
        sequence_id, token_offset, length, new_length = other
        how = f"{length} tokens instead of {new_length}" if length != new_length else "other tokens"
        raise SourceError(
            f"sequence {sequence_id} of corpus {corpus!r} is evaluated at offset {token_offset} already, with {how}; "
            "use a corpus name of its own for other tokens, or another database for another length of prompt or "
            "continuation"
        )
    connection.execute(
        "insert into raw.evaluated_sequences (corpus, sequence_id, token_offset, tokens) "  # noqa: S608
        f"select ?, sequence_id, token_offset, tokens from {relation} as incoming "
        f"anti join ({there}) as there using (sequence_id, token_offset)",
        [corpus, *bounds],
    )


def _drop(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Remove a dataset, and the evaluated sequences that no other dataset has."""
    connection.execute("delete from raw.datasets where dataset = ?", [name])
    connection.execute("delete from raw.dataset_scores where dataset = ?", [name])
    connection.execute("delete from raw.dataset_members where dataset = ?", [name])
    connection.execute(
        """
        delete from raw.evaluated_sequences as windows
        where not exists (
            select 1 from raw.dataset_members as members
            where members.corpus = windows.corpus and members.sequence_id = windows.sequence_id
                and members.token_offset = windows.token_offset
        )
        """
    )
