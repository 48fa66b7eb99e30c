"""Opening the store: who may, what is made, and who is in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def test_a_lock_names_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.duckdb"
    store.connect(read_only=False, path=path).close()
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ,
        text=True,
    )
    assert holder.stdin and holder.stdout
    try:
        assert holder.stdout.readline() == "open\n"
        monkeypatch.setattr(store, "LOCK_PATIENCE_SECONDS", 0.2)
        with pytest.raises(StoreLockedError, match=rf"process {holder.pid}\)"):
            store.connect(path=path)
    finally:
        holder.communicate("\n")
