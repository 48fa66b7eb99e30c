"""Databases of shards: what they hold, and what they are never mixed with. Scoring them is tested in tests/dbt."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtax import store
from memtax.errors import SourceError, StoreError
from memtax.scores import check_shard, merge_scores, parse_variables, prepare_shard


def make_store(path: Path, model: str, windows: int, *, weights: str = "x", tokens: str = "[1, 2]") -> Path:
    with store.writing(path) as connection:
        connection.execute("insert into raw.corpora (corpus) values ('c')")
        connection.execute(
            "insert into raw.models (model, revision, corpus, location, checksum) values (?, 'main', 'c', '/m', ?)",
            [model, weights],
        )
        connection.execute("insert into raw.corpus_sequences_uint16 values ('c', 1, 0, [1, 2, 3])")
        connection.execute(
            f"insert into raw.evaluated_sequences select 'c', range, 0, {tokens} from range(?)", [windows]
        )
    return path


def counts(path: Path) -> list[int]:
    tables = ("corpora", "models", "evaluated_sequences", "corpus_sequences_uint16")
    with store.reading(path) as connection:
        return [connection.execute(f"select count(*) from raw.{table}").fetchone()[0] for table in tables]


def test_a_shard_holds_what_there_is_to_score_and_no_corpus(tmp_path: Path) -> None:
    source, into = make_store(tmp_path / "store's.duckdb", "m", 5), tmp_path / "part.duckdb"
    assert prepare_shard(into, source) == 5
    assert counts(into) == [1, 1, 5, 0]
    with store.writing(source) as connection:
        connection.execute("insert into raw.evaluated_sequences values ('c', 9, 0, [1, 2])")
        connection.execute("insert into raw.models select * replace ('n' as model, 'y' as checksum) from raw.models")
    assert prepare_shard(into, source) == 6
    assert counts(into) == [1, 2, 6, 0]


def test_a_shard_of_another_store_is_left_alone(tmp_path: Path) -> None:
    source, into = make_store(tmp_path / "store.duckdb", "m", 5), tmp_path / "part.duckdb"
    prepare_shard(into, source)
    with pytest.raises(SourceError, match=r"prepared from another store, or .* has no model m@main; set"):
        prepare_shard(into, make_store(tmp_path / "other.duckdb", "n", 2))
    assert counts(into) == [1, 1, 5, 0]
    with pytest.raises(SourceError, match="is the store itself"):
        prepare_shard(source, source)
    with pytest.raises(StoreError, match="no database at"):
        prepare_shard(into, tmp_path / "absent.duckdb")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"windows": 4}, "no window with these tokens at token 0 of sequence 4 of corpus c"),
        ({"windows": 5, "tokens": "[1, 3]"}, "no window with these tokens at token 0 of sequence 0 of corpus c"),
        ({"windows": 5, "weights": "y"}, "other weights of model m@main"),
    ],
)
def test_a_shard_of_a_store_with_a_model_of_that_name_is_left_alone(tmp_path: Path, other: dict, message: str) -> None:
    source, into = make_store(tmp_path / "store.duckdb", "m", 5), tmp_path / "part.duckdb"
    prepare_shard(into, source)
    before = into.read_bytes()
    with pytest.raises(SourceError, match=rf"prepared from another store, or .* has {message}; set MEMTAX_DATABASE"):
        prepare_shard(into, make_store(tmp_path / "other.duckdb", "m", **other))
    assert into.read_bytes() == before


@pytest.mark.parametrize("name", ["whole.duckdb", "merged_scores.duckdb", "source.duckdb"])
def test_a_shard_may_have_any_name(tmp_path: Path, name: str) -> None:
    source = make_store(tmp_path / "store.duckdb", "m", 5)
    assert prepare_shard(tmp_path / name, source) == 5


def test_a_store_is_not_merged_into_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_store(tmp_path / "store.duckdb", "m", 1)
    monkeypatch.setenv("MEMTAX_DATABASE", str(path))
    with pytest.raises(SourceError, match="is the store itself"):
        merge_scores([path], None)


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMTAX_DATABASE", str(make_store(tmp_path / "store.duckdb", "m", 1)))
    with pytest.raises(SourceError, match=r"there is no file .*part\.duckdb; name the files that memtax score --into"):
        merge_scores([tmp_path / "part.duckdb"], None)


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "1/2/3", "-1/2"])
def test_what_is_no_shard_is_refused(shard: str) -> None:
    with pytest.raises(SourceError, match=r"expected I/N"):
        check_shard(shard)


def test_vars_are_a_mapping() -> None:
    assert parse_variables("{attention: true}") == {"attention": True}
    assert parse_variables(None) == {}
    for text in ("[1]", "{a: ", "{reference_model: 2024-01-01}", "{reference_model: 2024-13-41}"):
        with pytest.raises(SourceError, match="--vars"):
            parse_variables(text)
