"""The raw tables on Spark: what changed is written again, and a build that was killed on the way leaves nothing out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from memtax import store
from memtax.errors import MemtaxError
from memtax.spark import landing
from memtax.spark.folders import SparkFolders
from tests.conftest import Commands
from tests.corpus.helpers import write_bin

SESSION = {"spark.master": "local[1]", "spark.driver.memory": "700m", "spark.ui.enabled": "false"}


class Killed(Exception):
    """Stands for what kills a build."""


@pytest.fixture
def folders(tmp_path: Path) -> SparkFolders:
    return SparkFolders(tmp_path / "store.spark")


@pytest.fixture
def session(folders: SparkFolders) -> Iterator:
    from memtax.spark.session import spark_session

    with spark_session(folders, SESSION) as found:
        yield found


def test_what_spark_fails_with_is_a_message(folders: SparkFolders):
    from memtax.spark.session import spark_session

    failed = pytest.raises(MemtaxError, match=r"Spark failed: .TABLE_OR_VIEW_NOT_FOUND.* must be there and open")
    with failed, spark_session(folders, SESSION) as session:
        session.sql("select * from nowhere").collect()
    assert not folders.scratch.exists()


def test_a_build_goes_on_wherever_one_was_killed(
    session, folders: SparkFolders, commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rows = np.random.default_rng(1).integers(0, 200, (30, 64)).tolist()
    for number, part in enumerate((rows[:20], rows[20:])):
        path = write_bin(tmp_path / f"{number}.bin", part)
        append = ["--append"] if number else []
        commands.memtax("ingest", "corpus", "landed", path, "--sequence-length", 64, *append)

    # Two of the tables are as good as all of them.
    monkeypatch.setattr(landing, "_tables_but_sequences", lambda _: ["corpora", "corpus_shards"])

    def land() -> list[str]:
        with store.reading(commands.database) as connection:
            return list(landing.land(session, connection, folders))

    def sequences() -> int:
        return session.sql("select count(*) from raw.corpus_sequences_uint16").collect()[0][0]

    with store.reading(commands.database) as connection:
        assert next(landing.land(session, connection, folders)) == "corpora", "it is said once it is there"

    plain = type(session).sql
    with monkeypatch.context() as patch:
        patch.setattr(type(session), "sql", lambda self, text: _raise() if "msck" in text else plain(self, text))
        with pytest.raises(Killed):
            land()
    assert sequences() == 0, "killed before the catalogue knew the shards"
    land()
    assert sequences() == len(rows)
    assert land() == []

    with store.writing(commands.database) as connection:
        connection.execute("alter table raw.corpora add column note varchar default 'new'")
    with monkeypatch.context() as patch:
        patch.setattr(landing, "_declare", lambda *_: _raise())
        with pytest.raises(Killed):
            land()
    land()
    assert [row.note for row in session.sql("select note from raw.corpora").collect()] == ["new"]


def test_rows_that_occur_twice_are_seen_to_change(tmp_path: Path, commands: Commands):
    with store.connect(read_only=False, path=commands.database) as connection:
        connection.execute("create table raw.twice as select 1 as value from range(2)")
        assert landing._export_table(connection, "twice", tmp_path / "twice")
        assert not landing._export_table(connection, "twice", tmp_path / "twice")
        connection.execute("update raw.twice set value = 2")
        assert landing._export_table(connection, "twice", tmp_path / "twice")


def _raise() -> None:
    raise Killed
