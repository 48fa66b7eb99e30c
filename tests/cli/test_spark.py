"""`memtax spark` where it cannot run, and what it reads before it does; no Spark runs here."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from memtax import store
from memtax.cli import main
from memtax.errors import MemtaxError, ProjectError, StoreLockedError
from memtax.spark import build
from memtax.spark.build import NOT_ON_SPARK, dbt_command, unfinished_until_done
from memtax.spark.folders import CATALOGUE, CATALOGUE_SERVER, SparkFolders, spark_folders
from memtax.spark.session import default_configuration, java_reason, parse_configuration, read_defaults
from memtax.spark.warehouse import only_build, sweep


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
    assert "JAVA_HOME is not set" in result.output and "default-jre-headless" in result.output
    # Spark looks nowhere else where that is set.
    monkeypatch.undo()
    monkeypatch.setenv("MEMTAX_DATABASE", str(database))
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert "none in JAVA_HOME, which is /nowhere" in run("build").output


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


def test_what_a_build_did_not_finish_is_not_exported(database: Path):
    with store.connect(read_only=False) as connection:
        connection.execute("create table main.features as select 'before' as corpus")
    folders = spark_folders()
    table = folders.warehouse / "main.db" / "features"
    table.mkdir(parents=True)
    (table / "_SUCCESS").touch()
    folders.unfinished.touch()
    result = run("export")
    assert result.exit_code == 1
    assert "run memtax spark build until it succeeds" in result.output
    with store.reading() as connection:
        assert connection.execute("from main.features").fetchall() == [("before",)]


@pytest.mark.parametrize(
    ("failed", "later", "unfinished"),
    [
        (["--full-refresh"], [], False),
        ([], ["--select", "dim_corpora"], True),
        (["--select", "features"], ["--select", "features"], False),
        (["--select", "features"], ["-s", "dim_corpora"], True),
        (["--select", "features"], ["--exclude=dim_corpora"], True),
        (["--select", "features"], ["--vars", "{threads: 1}"], False),
        (["--select", "features"], ["--empty"], True),
    ],
)
def test_tables_are_unfinished_until_what_failed_is_built(
    tmp_path: Path, failed: list[str], later: list[str], unfinished: bool
):
    folders = SparkFolders(tmp_path)
    with pytest.raises(KeyError), unfinished_until_done(failed, folders):
        raise KeyError
    assert folders.unfinished.exists()
    with unfinished_until_done(later, folders):
        assert folders.unfinished.exists()
    assert folders.unfinished.exists() == unfinished


def test_each_of_several_builds_that_failed_is_to_be_built(tmp_path: Path):
    folders = SparkFolders(tmp_path)

    def run(*arguments: str, fails: bool = False) -> bool:
        with pytest.raises(KeyError) if fails else nullcontext(), unfinished_until_done(arguments, folders):
            if fails:
                raise KeyError
        return folders.unfinished.exists()

    one, other = ("--select", "features"), ("--select", "dim_corpora", "--vars", "{threads: 1}")
    assert run(*one, fails=True) and run(*other, fails=True)
    assert run(*one), "the other is still to be built"
    assert run(*one, fails=True) and run(*one) and not run(*other)
    assert run(*one, fails=True) and run(*other, fails=True)
    assert not run(), "all was built"
    # Of one build alone, as it was written before; and of none that can be read.
    folders.unfinished.write_text(json.dumps(one))
    assert not run(*one)
    folders.unfinished.write_text("[[")
    assert run(*one) and not run()


def test_a_build_that_dbt_fails_is_unfinished(database: Path, monkeypatch: pytest.MonkeyPatch):
    store.connect(read_only=False).close()
    monkeypatch.setattr(build, "spark_session", lambda *_: nullcontext(Session({})))
    monkeypatch.setattr(build, "land", lambda *_: [])

    def fail(*_: object) -> None:
        raise MemtaxError("dbt run failed on Spark")

    monkeypatch.setattr(build, "run_dbt", fail)
    with pytest.raises(MemtaxError):
        build.build([])
    assert spark_folders().unfinished.exists()
    monkeypatch.setattr(build, "run_dbt", lambda *_: None)
    assert not build.build([]).unfinished.exists()


def test_nothing_is_exported_while_a_build_is_at_work(database: Path):
    store.connect(read_only=False).close()
    table = spark_folders().warehouse / "main.db" / "features"
    table.mkdir(parents=True)
    (table / "_SUCCESS").touch()
    with only_build(spark_folders()):
        result = run("export")
    assert result.exit_code == 1
    assert "another memtax spark build or export is at work" in result.output


def test_what_models_left_that_are_no_more_is_not_exported(database: Path):
    store.connect(read_only=False).close()
    folders = spark_folders()
    for name in ("features", "renamed_since"):
        table = folders.warehouse / "main.db" / name
        table.mkdir(parents=True)
        (table / "_SUCCESS").touch()
        with duckdb.connect() as connection:
            connection.execute(f"copy (select 1 as n, 'a' as corpus) to '{table}/part.parquet'")
    columns = {name: {"data_type": kind} for name, kind in (("corpus", "varchar"), ("n", "bigint"))}
    model = {"name": "features", "resource_type": "model", "schema": "main", "columns": columns}
    folders.target.mkdir()
    (folders.target / "manifest.json").write_text(json.dumps({"nodes": {"model.memtax.features": model}}))
    assert run("export").output.splitlines() == ["features: 1 rows"]
    with store.reading() as connection:
        assert connection.execute("from main.features").fetchall() == [("a", 1)]
        assert connection.execute("select typeof(n) from main.features").fetchall() == [("BIGINT",)]


def test_what_cannot_run_on_spark_is_excluded_beside_what_the_user_excludes(tmp_path: Path):
    folders = SparkFolders(tmp_path / "store.spark")
    for arguments in ([], ["--exclude", "feat_sequence__code"], ["--exclude=feat_sequence__code"]):
        command = dbt_command(arguments, folders)
        assert command[: len(arguments) + 3] == ["run", *arguments, "--exclude", NOT_ON_SPARK]


def test_a_value_may_hold_an_equals_sign():
    assert parse_configuration(["spark.driver.extraJavaOptions=-Da=b"]) == {"spark.driver.extraJavaOptions": "-Da=b"}
    with pytest.raises(ProjectError):
        parse_configuration(["spark.driver.memory"])


def test_settings_come_from_the_usual_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "spark-defaults.conf").write_text(
        "# ours\nspark.master   spark://head:7077\n\nspark.executor.memory=8g\n"
        "spark.executor.extraJavaOptions -Da=b -Dc=d\n  spark.executor.cores : 4 \n"
    )
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert read_defaults() == {
        "spark.master": "spark://head:7077",
        "spark.executor.memory": "8g",
        "spark.executor.extraJavaOptions": "-Da=b -Dc=d",
        "spark.executor.cores": "4",
    }


def test_of_what_java_says_the_reason_is_told():
    trace = "An error occurred while calling None.SparkSession.\n: java.lang.IllegalStateException: stopped.\n\n\tat a.b(c)\n"
    assert java_reason(Exception(trace)) == "java.lang.IllegalStateException: stopped"
    assert java_reason(Exception("Java gateway process exited.")) == "Java gateway process exited"
    assert java_reason(KeyError()) == "KeyError"


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


class Session:
    """Stands for a session whose catalogue has a schema `main` without tables."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.conf, self.catalog = settings, self

    def databaseExists(self, name: str) -> bool:
        return name == "main"

    def sql(self, statement: str) -> Session:
        return self

    def collect(self) -> list[object]:
        return []


@pytest.mark.parametrize(("server", "swept"), [("", ["main.begun"]), ("thrift://catalogue:9083", [])])
def test_only_tables_that_the_folders_own_catalogue_does_not_know_are_swept(
    tmp_path: Path, server: str, swept: list[str]
):
    folders = SparkFolders(tmp_path / "store.spark")
    (folders.warehouse / "main.db" / "begun").mkdir(parents=True)
    settings = {CATALOGUE: f"jdbc:derby:;databaseName={folders.metastore};create=true", CATALOGUE_SERVER: server}
    assert sweep(Session(settings), folders) == swept
    assert (folders.warehouse / "main.db" / "begun").exists() == (not swept)
