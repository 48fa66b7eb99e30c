"""`memtax spark` where it cannot run, and what it reads before it does; no Spark runs here."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from memtax import store
from memtax.cli import main
from memtax.errors import ProjectError, StoreLockedError
from memtax.spark.folders import SparkFolders, spark_folders
from memtax.spark.session import default_configuration, parse_configuration, read_defaults
from memtax.spark.warehouse import only_build


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "memtax.duckdb"
    monkeypatch.setenv("MEMTAX_DATABASE", str(path))
    monkeypatch.delenv("MEMTAX_SPARK_FOLDER", raising=False)
    return path


def run(*arguments: str):
    return CliRunner().invoke(main, ["spark", *arguments])


def test_without_a_store_build_says_what_to_do(database: Path):
    result = run("build")
    assert result.exit_code == 1
    assert "run memtax ingest corpus first" in result.output
    assert not database.with_name("memtax.duckdb.spark").exists()


def test_without_java_build_says_what_to_install(database: Path, monkeypatch: pytest.MonkeyPatch):
    store.connect(read_only=False).close()
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    result = run("build")
    assert result.exit_code == 1
    assert "openjdk-17-jre-headless" in result.output


def test_what_is_no_setting_of_spark_is_refused(database: Path):
    store.connect(read_only=False).close()
    result = run("build", "--conf", "executor.memory=1g")
    assert result.exit_code == 1
    assert "expected spark.KEY=VALUE" in result.output


def test_without_a_build_there_is_nothing_to_export(database: Path):
    store.connect(read_only=False).close()
    result = run("export")
    assert result.exit_code == 1
    assert "run memtax spark build" in result.output


def test_a_value_may_hold_an_equals_sign():
    assert parse_configuration(["spark.driver.extraJavaOptions=-Da=b"]) == {"spark.driver.extraJavaOptions": "-Da=b"}
    with pytest.raises(ProjectError):
        parse_configuration(["spark.driver.memory"])


def test_settings_come_from_the_usual_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "spark-defaults.conf").write_text(
        "# ours\nspark.master   spark://head:7077\n\nspark.executor.memory 8g\n"
    )
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert read_defaults() == {"spark.master": "spark://head:7077", "spark.executor.memory": "8g"}


def test_what_is_written_lies_beside_the_database(database: Path, monkeypatch: pytest.MonkeyPatch):
    folders = spark_folders()
    assert folders.root == database.resolve().with_name("memtax.duckdb.spark")
    for key in (
        "spark.sql.warehouse.dir",
        "spark.hadoop.javax.jdo.option.ConnectionURL",
        "spark.driver.extraJavaOptions",
    ):
        assert str(folders.root) in default_configuration(folders)[key]
    monkeypatch.setenv("MEMTAX_SPARK_FOLDER", str(database.parent / "shared"))
    assert spark_folders().root == database.parent.resolve() / "shared"


def test_one_build_at_a_time(tmp_path: Path):
    folders = SparkFolders(tmp_path / "store.spark")
    with only_build(folders), pytest.raises(StoreLockedError, match="another memtax spark build"), only_build(folders):
        pass
    with only_build(folders):
        pass
