"""Opening the store: who may, what is made, and who is in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from memtax import store
from memtax.errors import StoreError, StoreLockedError


def test_a_reader_does_not_make_a_database(tmp_path: Path) -> None:
    path = tmp_path / "none.duckdb"
    with pytest.raises(StoreError, match="no database at"):
        store.connect(path=path)
    assert not path.exists()


def test_a_writer_makes_the_raw_schema_and_rolls_back_on_an_error(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with pytest.raises(ValueError, match="stop"), store.writing(path) as connection:
        connection.execute("insert into raw.corpora (corpus) values ('half')")
        raise ValueError("stop")
    with store.reading(path) as connection:
        assert connection.execute("select count(*) from raw.corpora").fetchone() == (0,)
        assert store.has_table(connection, "raw", "corpus_shards")
        with pytest.raises(StoreError, match=r"no table main\.features yet; run dbt run"):
            store.require_table(connection, "main", "features", "run dbt run")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.duckdb"
    path.write_text("not a database, however long this text may be " * 200, encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be opened"):
        store.connect(path=path)


@pytest.mark.parametrize("holder_reads", [False, True])
def test_a_lock_names_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holder_reads: bool) -> None:
    path = tmp_path / "store.duckdb"
    store.connect(read_only=False, path=path).close()
    opening = f"import duckdb; c = duckdb.connect({str(path)!r}, read_only={holder_reads})"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{opening}; print('open', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ,
        text=True,
    )
    assert holder.stdin and holder.stdout
    try:
        assert holder.stdout.readline() == "open\n"
        monkeypatch.setattr(store, "LOCK_PATIENCE_SECONDS", 0.2)
        with pytest.raises(StoreLockedError, match=rf"is held open by .*\(process {holder.pid}\); wait"):
            store.connect(read_only=False, path=path)
        if holder_reads:
            store.connect(path=path).close()
        else:
            with pytest.raises(StoreLockedError, match=rf"is being written by .*\(process {holder.pid}\); wait"):
                store.connect(path=path)
    finally:
        holder.communicate("\n")


def test_a_store_with_a_row_for_each_score_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create schema raw;
            create table raw.dataset_members (
                dataset varchar not null, corpus varchar not null, sequence_id bigint not null, token_offset integer not null
            );
            create table raw.published_scores (
                dataset varchar not null, corpus varchar not null, sequence_id bigint not null,
                token_offset integer not null, model varchar not null, revision varchar not null, score double
            );
            create table raw.published_values (
                table_id integer not null, sequence_id bigint not null, token_offset integer not null, value double not null
            );
            insert into raw.dataset_members values ('d', 'c', 1, 0), ('d', 'c', 2, 0), ('e', 'c', 1, 0), ('f', 'c', 1, 0);
            insert into raw.published_scores values
                ('d', 'c', 1, 0, 'm', 'main', 0.5), ('d', 'c', 2, 0, 'm', 'main', 1), ('d', 'c', 2, 0, 'm', 'step1', 0),
                ('e', 'c', 1, 0, 'n', 'main', 0.5);
            insert into raw.published_values values (1, 7, 0, 2.5);
            """
        )
        before = connection.execute("from raw.published_scores order by all").fetchall()
    for _ in range(2):
        with store.writing(path) as connection:
            assert connection.execute("from raw.published_scores order by all").fetchall() == before
            assert connection.execute("select dataset, scores from raw.dataset_members order by all").fetchall() == [
                *(("d", [0.5, None]), ("d", [1.0, 0.0]), ("e", [0.5]), ("f", None)),
            ]
            assert connection.execute("from raw.published_values").fetchall() == [(1, 7, 2.5)]
    with store.reading(path) as connection:
        tables = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
    assert "scores_by_row" not in tables
