"""Corpora that stay in their files: what DuckDB sees, what it is told when files change, and dbt's cursors."""

import os
import shlex
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from memtax import store
from memtax.cli import main
from memtax.corpus.in_place import attach
from memtax.corpus.reader import read_sequences
from memtax.dbt_plugin import Plugin
from memtax.errors import SourceError, StoreError
from tests.corpus.conftest import Ingest
from tests.corpus.helpers import numbered, scanned, split, write_bin, write_mmap

ROWS = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]


@pytest.fixture
def in_place(ingest: Ingest, tmp_path: Path) -> Path:
    path = write_bin(tmp_path / "a.bin", ROWS)
    assert ingest("c", path, sequence_length=4, in_place=True).outcome == "registered"
    return path


def touch(path: Path) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))


def test_what_a_query_sees(in_place: Path, database: Path) -> None:
    with store.reading(database) as connection:
        assert attach(connection) == ["in_place_shard_1"]
        types = connection.execute("select column_name, column_type from (describe from in_place_shard_1)").fetchall()
        assert types == [
            ("corpus", "VARCHAR"),
            ("shard_id", "INTEGER"),
            ("sequence_id", "BIGINT"),
            ("tokens", "USMALLINT[]"),
        ]
        for _ in range(2):
            assert connection.execute("from in_place_shard_1 order by sequence_id").fetchall() == [
                ("c", 1, number, row) for number, row in enumerate(ROWS)
            ]
        one = connection.execute("select tokens from in_place_shard_1 where sequence_id = 1").fetchall()
        assert one == [(ROWS[1],)]


def test_several_shards_of_both_kinds(in_place: Path, ingest: Ingest, database: Path, tmp_path: Path) -> None:
    ragged = [[1], [2, 3, 4], [], [5, 6]]
    path, index = write_mmap(tmp_path / "b", ragged, "int32")
    shard = ingest("c", *split(path, [4, 12]), index, in_place=True, append=True).shard
    assert (shard.token_dtype, shard.first_sequence_id, shard.last_sequence_id) == ("uint32", 3, 6)
    ingest("c", write_bin(tmp_path / "d.bin", [[7, 7]]), sequence_length=2, append=True)
    with store.reading(database) as connection:
        attach(connection)
        assert scanned(connection, "c") == numbered(ROWS + ragged)
        found = read_sequences(connection, "c", [7, 0, 4])
        assert {key: value.tolist() for key, value in found.items()} == {0: ROWS[0], 4: ragged[1], 7: [7, 7]}
        with pytest.raises(StoreError, match="no sequence 8; it has sequence ids 0 to 2, 3 to 6, 7 to 7"):
            read_sequences(connection, "c", [1, 8])
        with pytest.raises(StoreError, match="no corpus 'x'; the store has c"):
            read_sequences(connection, "x", [1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.unlink(), "a.bin.* is gone"),
        (touch, "a.bin.* was written to or copied again since"),
        (lambda path: path.write_bytes(b"1234"), "a.bin.* has 4 bytes and had 24"),
    ],
)
def test_a_changed_file_fails_the_scan_alone(in_place: Path, database: Path, change, words: str) -> None:
    change(in_place)
    with store.reading(database) as connection:
        attach(connection)
        assert connection.execute("select count(*) from raw.corpora").fetchone() == (1,)
        with pytest.raises(duckdb.Error, match=words):
            connection.execute("select sum(len(tokens)) from in_place_shard_1")
        with pytest.raises(SourceError, match=words):
            read_sequences(connection, "c", [0])


def test_registering_again(in_place: Path, ingest: Ingest, database: Path, tmp_path: Path) -> None:
    before = ingest("c", in_place, sequence_length=4, in_place=True)
    assert before.outcome == "already landed"
    touch(in_place)
    after = ingest("c", in_place, sequence_length=4, in_place=True)
    assert after.outcome == "refreshed"
    assert after.shard.checksum != before.shard.checksum
    moved = in_place.rename(tmp_path / "moved.bin")
    assert ingest("c", moved, sequence_length=4, in_place=True).outcome == "refreshed"
    with store.reading(database) as connection:
        attach(connection)
        assert scanned(connection, "c") == numbered(ROWS)
    moved.write_bytes(moved.read_bytes()[::-1])
    with pytest.raises(SourceError, match="other content"):
        ingest("c", moved, sequence_length=4, in_place=True)


@pytest.mark.parametrize("kind", ["bin", "mmap"])
def test_the_command_that_a_changed_file_asks_for_can_be_followed(
    ingest: Ingest, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = tmp_path / "a folder; with $signs"
    folder.mkdir()
    if kind == "bin":
        paths: tuple[Path, ...] = (write_bin(folder / "a b.bin", ROWS, "uint32"),)
        ingest("it's", *paths, dtype="uint32", sequence_length=3, in_place=True)
    else:
        paths = write_mmap(folder / "a b", ROWS, "int32")
        ingest("it's", *paths, in_place=True)
    touch(paths[0])
    with store.reading(database) as connection, pytest.raises(SourceError) as raised:
        read_sequences(connection, "it's", [0])
    program, *arguments = shlex.split(str(raised.value).partition("run this again: ")[2])
    (tmp_path / "dbt_project.yml").write_text("name: memtax\n")
    monkeypatch.setenv("MEMTAX_PROJECT", str(tmp_path))
    monkeypatch.setenv("MEMTAX_DATABASE", str(database))
    result = CliRunner().invoke(main, arguments)
    assert (program, result.exit_code) == ("memtax", 0), result.output
    assert "it's: refreshed as shard 1" in result.stdout
    with store.reading(database) as connection:
        assert len(read_sequences(connection, "it's", [0])) == 1


def test_dbt_plugin(in_place: Path, database: Path) -> None:
    plugin = Plugin("corpora", {})
    plugin.configure_cursor(duckdb.connect().cursor())  # a store that nothing was landed in
    with store.reading(database) as connection:
        cursor = connection.cursor()
        plugin.configure_cursor(cursor)
        assert cursor.execute("select count(*) from in_place_shard_1").fetchone() == (3,)


def test_nothing_is_attached_to_a_store_without_corpora(tmp_path: Path) -> None:
    with store.writing(tmp_path / "new.duckdb") as connection:
        assert attach(connection) == []
