"""Databases of shards: what they hold, and what they are never mixed with. Scoring them is tested in tests/dbt."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtax import store
from memtax.errors import SourceError, StoreError
from memtax.scores import check_shard, merge_scores, parse_variables, prepare_shard


def make_store(path: Path, model: str, windows: int) -> Path:
    with store.writing(path) as connection:
        connection.execute("insert into raw.corpora (corpus) values ('c')")
        connection.execute(
            "insert into raw.models (model, revision, corpus, location, checksum) values (?, 'main', 'c', '/m', 'x')",
            [model],
        )
        connection.execute("insert into raw.corpus_sequences_uint16 values ('c', 1, 0, [1, 2, 3])")
        connection.execute("insert into raw.evaluated_sequences select 'c', range, 0, [1, 2] from range(?)", [windows])
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
    assert prepare_shard(into, source) == 6
    assert counts(into) == [1, 1, 6, 0]


def test_a_shard_of_another_store_is_left_alone(tmp_path: Path) -> None:
    source, into = make_store(tmp_path / "store.duckdb", "m", 5), tmp_path / "part.duckdb"
    prepare_shard(into, source)
    with pytest.raises(SourceError, match=r"prepared from another store: .* has no model m@main"):
        prepare_shard(into, make_store(tmp_path / "other.duckdb", "n", 2))
    assert counts(into) == [1, 1, 5, 0]
    with pytest.raises(SourceError, match="is the store itself"):
        prepare_shard(source, source)
    with pytest.raises(StoreError, match="no database at"):
        prepare_shard(into, tmp_path / "absent.duckdb")


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
    for text in ("[1]", "{a: "):
        with pytest.raises(SourceError, match="--vars"):
            parse_variables(text)
