"""An index of all stored embeddings (usearch, HNSW), in a folder beside the database; made again when they change."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from memtax import store
from memtax.corpus.progress import Progress, silent
from memtax.errors import MissingExtraError, StoreError
from memtax.project import database_path
from udf.embedding.loading import DIMENSIONS
from udf.settings import threads

EMBEDDINGS = "int_sequence__embedding"
SUFFIX = ".neighbours"
INDEX_FILE, KEYS_FILE, ABOUT_FILE = "index.usearch", "keys.arrow", "about.json"
VERSION = 1
_BATCH_ROWS = 16_384

# Changes with every embedding that comes, goes or is computed again, also of other tokens under the same key, and needs none of
# the vectors.
_DIGEST = """
    select
        count(*),
        md5(concat_ws('|', count(*), bit_xor(md5_number(
            concat_ws('|', corpus, sequence_id, token_offset, tokens_checksum, fingerprint)
        ))))
    from intermediate.int_sequence__embedding
    where is_embedded
"""


@dataclass(frozen=True)
class NeighbourIndex:
    """An open index.

    Attributes:
        graph: usearch's index; its keys are rows of `keys`.
        keys: corpus, sequence_id and token_offset of each vector, on disk until they are taken.
    """

    graph: Any
    keys: pa.Table

    def nearest(self, vector: np.ndarray, n: int) -> pa.Table:
        """The keys of about the n nearest vectors, in no order that matters.

        Args:
            vector: float32 [384].
            n: 1 or more.
        """
        # A graph that several threads build may leave a vector or two unreachable: who asks for all gets all.
        if n >= len(self.keys):
            return self.keys
        found = self.graph.search(vector, n)
        return self.keys.take(pa.array(np.asarray(found.keys, dtype=np.int64)))


def stored_embeddings(connection: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """How many embeddings the store holds, and a digest of them.

    Raises:
        StoreError: `dbt run` has not made the table, or it is empty.
    """
    store.require_table(connection, "intermediate", EMBEDDINGS, "run dbt run first")
    row = connection.execute(_DIGEST).fetchone()
    if row is None or row[0] == 0:
        raise StoreError(
            "the store holds no embeddings: its corpora have no tokenizer, or the var embed_with was empty; set both and "
            "run dbt run again"
        )
    return row[0], row[1]


def fresh_index(connection: duckdb.DuckDBPyConnection) -> NeighbourIndex | None:
    """The index beside the database, opened without reading it; None where there is none or the embeddings changed."""
    folder = _folder()
    try:
        about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if about != _about(stored_embeddings(connection)[1]):
        return None
    try:
        graph = _usearch().restore(str(folder / INDEX_FILE), view=True)
        keys = pa.ipc.open_file(pa.memory_map(str(folder / KEYS_FILE))).read_all()
    except (OSError, RuntimeError, pa.ArrowInvalid):
        return None
    return None if graph is None or len(graph) != len(keys) else NeighbourIndex(graph, keys)


def open_index(connection: duckdb.DuckDBPyConnection, progress: Progress = silent) -> NeighbourIndex:
    """The index, made first where there is none or the embeddings have changed since.

    Args:
        connection: a reading session.
        progress: called while the index is made.

    Raises:
        StoreError: there are no embeddings, or the folder beside the database cannot be written.
        MissingExtraError: usearch is not installed.
    """
    found = fresh_index(connection)
    if found is None:
        _build(connection, progress)
        found = fresh_index(connection)
    if found is None:
        raise StoreError(f"the index in {_folder()} cannot be read back; remove that folder and run this again")
    return found


def _build(connection: duckdb.DuckDBPyConnection, progress: Progress) -> None:
    total, digest = stored_embeddings(connection)
    graph = _usearch()(ndim=DIMENSIONS, metric="cos", dtype="bf16")
    folder = _folder()
    temporary = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    rows = connection.execute(
        "select corpus, sequence_id, token_offset, embedding from intermediate.int_sequence__embedding "
        "where is_embedded order by corpus, sequence_id, token_offset"
    ).to_arrow_reader(_BATCH_ROWS)
    keys: list[pa.RecordBatch] = []
    try:
        temporary.mkdir()
        for batch in rows:
            vectors = batch["embedding"].flatten().to_numpy().reshape(-1, DIMENSIONS)
            graph.add(np.arange(len(graph), len(graph) + len(batch)), vectors, threads=threads())
            keys.append(batch.select(["corpus", "sequence_id", "token_offset"]))
            progress(len(graph) / total, f"{len(graph):,} of {total:,} embeddings")
        graph.save(str(temporary / INDEX_FILE))
        table = pa.Table.from_batches(keys)
        with pa.OSFile(str(temporary / KEYS_FILE), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        (temporary / ABOUT_FILE).write_text(json.dumps(_about(digest)), encoding="utf-8")
        # A folder cannot take the place of another in one step; a reader in between finds none and makes its own.
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    except OSError as error:
        # Another process may have put its own there first, and that is as good.
        if fresh_index(connection) is None:
            raise StoreError(f"the index of neighbours cannot be written to {folder}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _about(digest: str) -> dict[str, Any]:
    return {"version": VERSION, "embeddings": digest}


def _folder() -> Path:
    path = database_path()
    return path.with_name(path.name + SUFFIX)


def _usearch() -> Any:
    try:
        from usearch.index import Index
    except ImportError as error:
        raise MissingExtraError("looking for neighbours", "similarity") from error
    return Index
