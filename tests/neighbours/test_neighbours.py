"""The index of neighbours: made when it is missing or stale, and what it finds measured by the stored vectors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from memtax.errors import ProjectError, StoreError
from memtax.neighbours import index, search
from memtax.neighbours.search import embed_as_stored, nearest_to_sequence, nearest_to_vector, require_dataset

N = 300
remove = shutil.rmtree


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((N, 384)).astype(np.float32)


@pytest.fixture
def connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vectors: np.ndarray
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A store with the tables that neighbours are looked for in, and nothing else."""
    path = tmp_path / "memtax.duckdb"
    monkeypatch.setenv("MEMTAX_DATABASE", str(path))
    connection = duckdb.connect(str(path))
    connection.execute("create schema intermediate")
    rows = pa.table({"number": range(N), "vector": pa.array(vectors.tolist(), pa.list_(pa.float32(), 384))})
    connection.register("rows", rows)
    connection.execute(
        "create table intermediate.int_sequence__embedding as select 'c' as corpus, number as sequence_id, "
        "cast(0 as integer) as token_offset, 't' as tokens_checksum, true as is_embedded, vector as embedding, "
        "'f' as fingerprint from rows"
    )
    connection.execute("insert into intermediate.int_sequence__embedding values ('c', 9999, 0, 't', false, null, 'f')")
    keys = "corpus, sequence_id, token_offset"
    connection.execute(
        f"create table feat_sequence__text as select {keys}, 'prompt ' || sequence_id as prompt_text, "
        "'end' as continuation_text, 'prompt ' || sequence_id || 'end' as text from intermediate.int_sequence__embedding"
    )
    connection.execute(f"create table dim_evaluated_sequences as select {keys} from feat_sequence__text")
    connection.execute(
        f"create table dataset_members as select 'few' as dataset, {keys} from feat_sequence__text limit 7"
    )
    yield connection
    connection.close()


def cosines(vectors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    wide = vectors.astype(np.float64)
    return wide @ vector / (np.linalg.norm(wide, axis=1) * np.linalg.norm(vector))


def test_the_nearest_come_first_with_their_cosine(connection: duckdb.DuckDBPyConnection, vectors: np.ndarray) -> None:
    query = vectors[17] + np.float32(0.5) * vectors[18]
    expected = cosines(vectors, query)
    found = nearest_to_vector(connection, query, 5)
    assert [one.sequence_id for one in found] == np.argsort(-expected)[:5].tolist()
    assert [one.cosine for one in found] == pytest.approx(np.sort(expected)[::-1][:5], abs=1e-6)
    assert (found[0].prompt, found[0].continuation) == ("prompt 17", "end")
    assert len(nearest_to_vector(connection, query, 10_000)) == N


def test_the_index_is_kept_until_the_embeddings_change(
    connection: duckdb.DuckDBPyConnection, vectors: np.ndarray, tmp_path: Path
) -> None:
    assert index.fresh_index(connection) is None
    reported: list[float] = []
    index.open_index(connection, lambda share, words: reported.append(share))
    assert reported[-1] == 1
    reported.clear()
    index.open_index(connection, lambda share, words: reported.append(share))
    assert reported == []
    connection.execute("update intermediate.int_sequence__embedding set fingerprint = 'g' where sequence_id = 3")
    assert index.fresh_index(connection) is None
    index.open_index(connection)
    connection.execute("update intermediate.int_sequence__embedding set tokens_checksum = 'u' where sequence_id = 3")
    assert index.fresh_index(connection) is None
    connection.execute("delete from intermediate.int_sequence__embedding where sequence_id = 17")
    assert nearest_to_vector(connection, vectors[17], 1)[0].sequence_id != 17
    assert index.fresh_index(connection) is not None
    assert sorted(path.name for path in tmp_path.iterdir() if "neighbours" in path.name) == ["memtax.duckdb.neighbours"]


def test_a_damaged_index_is_made_again(
    connection: duckdb.DuckDBPyConnection, vectors: np.ndarray, tmp_path: Path
) -> None:
    index.open_index(connection)
    (tmp_path / "memtax.duckdb.neighbours" / index.KEYS_FILE).write_bytes(b"damaged")
    assert nearest_to_vector(connection, vectors[4], 1)[0].sequence_id == 4


def test_an_index_that_another_process_made_first_is_taken(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.open_index(connection)
    folder = tmp_path / "memtax.duckdb.neighbours"
    theirs = (folder / index.INDEX_FILE).stat().st_ino

    def rmtree(path: Path, **_: object) -> None:
        if path != folder:  # which comes back at once
            remove(path)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    index._build(connection, lambda share, words: None)
    assert (folder / index.INDEX_FILE).stat().st_ino == theirs
    connection.execute("update intermediate.int_sequence__embedding set fingerprint = 'g'")
    with pytest.raises(StoreError, match="cannot be written to"):
        index.open_index(connection)
    assert not list(tmp_path.glob("*.partial"))


def test_a_dataset_is_searched_alone(connection: duckdb.DuckDBPyConnection, vectors: np.ndarray) -> None:
    members = connection.execute("select sequence_id from dataset_members").fetchall()
    found = nearest_to_vector(connection, vectors[200], 3, dataset="few")
    best = sorted(members, key=lambda row: -cosines(vectors, vectors[200])[row[0]])[:3]
    assert [one.sequence_id for one in found] == [number for (number,) in best]
    with pytest.raises(StoreError, match="no dataset 'fwe'; it has few"):
        require_dataset(connection, "fwe")


@pytest.mark.parametrize("scanned", [search.SCANNED, 0])
def test_a_sequence_is_not_its_own_neighbour(
    connection: duckdb.DuckDBPyConnection, vectors: np.ndarray, scanned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SCANNED", scanned)
    if scanned == 0:
        assert nearest_to_sequence(connection, ("c", 17, 0), 4) is None
        index.open_index(connection)
    found = nearest_to_sequence(connection, ("c", 17, 0), 4)
    assert found is not None
    assert [one.sequence_id for one in found] == np.argsort(-cosines(vectors, vectors[17]))[1:5].tolist()
    assert nearest_to_sequence(connection, ("c", 9999, 0), 4) is None


def test_a_store_without_embeddings_says_so(connection: duckdb.DuckDBPyConnection, vectors: np.ndarray) -> None:
    connection.execute("update intermediate.int_sequence__embedding set is_embedded = false")
    with pytest.raises(StoreError, match="the store holds no embeddings"):
        nearest_to_vector(connection, vectors[0], 1)
    connection.execute("drop table intermediate.int_sequence__embedding")
    with pytest.raises(StoreError, match="run dbt run first"):
        nearest_to_vector(connection, vectors[0], 1)


def test_a_text_is_embedded_by_the_model_of_the_store_or_not_at_all(
    connection: duckdb.DuckDBPyConnection, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.execute("delete from intermediate.int_sequence__embedding where sequence_id <> 17")
    by_model = {"model": {"prompt 17end": vectors[17] * 2, "a text": vectors[3]}, "other": {"a text": vectors[3]}}

    def encode(model: str, texts: list[str]) -> np.ndarray:
        return np.stack([by_model[model].get(text, vectors[5]) for text in texts])

    monkeypatch.setattr(search, "encode", encode)
    assert (embed_as_stored(connection, "a text", "model") == vectors[3]).all()
    with pytest.raises(ProjectError, match=r"embedded with another model than other, which the var embed_with"):
        embed_as_stored(connection, "a text", "other")
