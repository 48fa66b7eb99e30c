"""The raw tables on Spark: what changed is written again, and a build that was killed on the way leaves nothing out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtax import store
from memtax.errors import MemtaxError, SourceError
from memtax.spark import landing
from memtax.spark.folders import SparkFolders
from memtax.spark.session import BATCH_BYTES, RECORDS_PER_BATCH
from tests.conftest import PROJECT, Commands
from tests.corpus.helpers import write_bin

SESSION = {"spark.master": "local[1]", "spark.driver.memory": "700m", "spark.ui.enabled": "false"}
# Of a session whose Java is killed in the middle of what a build does; dbt, too, makes an error of its own of it.
KILL = """
import os, sys
from pathlib import Path
from memtax.errors import MemtaxError
from memtax.spark.folders import SparkFolders
from memtax.spark.session import spark_session

try:
    with spark_session(SparkFolders(Path(sys.argv[1])), eval(sys.argv[2])) as session:
        os.kill(session.sparkContext._gateway.proc.pid, 9)
        try:
            session.sql("select 1").collect()
        except Exception as error:
            raise MemtaxError("dbt run failed on Spark") from error
except MemtaxError as error:
    print(error)
"""


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


def test_that_java_was_killed_is_a_message_without_traces(folders: SparkFolders):
    command = [sys.executable, "-c", KILL, str(folders.root), str(SESSION)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.startswith("Spark's Java process ended: it ran out of memory, or was killed.")
    assert "more than its spark.driver.memory=700m" in done.stdout
    assert "Traceback" not in done.stderr


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


def test_what_a_task_reads_at_once_is_bounded_in_bytes(
    session, folders: SparkFolders, commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from pyspark.sql.functions import arrow_udf

    length = 1 << 18  # 0.5 MB a sequence
    rows = np.zeros((70, length), np.uint16)
    for corpus, storage in (("landed", []), ("lying", ["--in-place"])):
        np.save(tmp_path / f"{corpus}.npy", rows)
        commands.memtax("ingest", "corpus", corpus, tmp_path / f"{corpus}.npy", *storage)
    monkeypatch.setattr(landing, "_tables_but_sequences", lambda _: [])
    with store.reading(commands.database) as connection:
        list(landing.land(session, connection, folders))

    (path,) = (folders.raw / "corpus_sequences_uint16").rglob("*.parquet")
    metadata = pq.read_metadata(path)
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    most = landing.ROW_GROUP_BYTES // (2 * length)
    assert sum(groups) == len(rows) and max(groups) <= most < len(rows)

    def batch_bytes(tokens: pa.Array) -> pa.Array:
        return pa.array([sum(len(value) for value in tokens.to_pylist())] * len(tokens), pa.int64())

    session.udf.register("batch_bytes", arrow_udf(batch_bytes, "bigint").asNondeterministic())
    session.conf.set(RECORDS_PER_BATCH, "2048")
    read = session.sql("select batch_bytes(tokens) as n from raw.corpus_sequences_uint16").collect()
    assert len(read) == len(rows) and max(row.n for row in read) <= BATCH_BYTES + 2 * length
    with store.reading(commands.database) as connection:
        list(landing.land(session, connection, folders))
    assert int(session.conf.get(RECORDS_PER_BATCH)) == BATCH_BYTES // (2 * length), (
        "of places, whose tokens Spark sees not"
    )


def test_of_sequences_of_all_lengths_none_but_one_alone_is_larger_than_what_is_read_at_once():
    lists = pa.array([[1] * n for n in (3, 0, 5, 40, 1, 1, 0)], pa.list_(pa.uint16()))
    assert list(landing.runs_of_bytes(lists, 16)) == [(0, 3), (3, 4), (4, 7)]
    assert list(landing.runs_of_bytes(lists[1:], 16)) == [(0, 2), (2, 3), (3, 6)]
    for begin, end in landing.runs_of_bytes(lists, 16):
        part = lists[begin:end]
        expected = [np.array(row, np.uint16).tobytes() for row in part.to_pylist()]
        assert landing.packed(part).to_pylist() == expected


def test_a_sequence_that_no_value_of_sparks_holds_is_refused():
    # Pages of zeros that nothing reads take no memory.
    values = pa.array(np.zeros(2**29, np.uint32))
    lists = pa.ListArray.from_arrays(pa.array([0, 2**29], pa.int32()), values)
    with pytest.raises(SourceError, match="2 GiB of tokens or more"):
        landing.packed(lists)


def _raise() -> None:
    raise Killed
