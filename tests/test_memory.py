"""The limit of DuckDB's memory and the folder that it spills to, as the environment names them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import duckdb
import pytest

from memtax import session, store
from memtax.errors import StoreError
from memtax.memory import LIMIT_VARIABLE, SPILL_VARIABLE
from tests.conftest import PROJECT, Commands


def setting(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    (value,) = connection.execute(f"select current_setting('{name}')").fetchone() or ("",)
    return value


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(LIMIT_VARIABLE, raising=False)
    monkeypatch.delenv(SPILL_VARIABLE, raising=False)
    path = tmp_path / "memtax.duckdb"
    store.connect(read_only=False, path=path).close()
    return path


def test_without_the_variables_everything_is_duckdbs_own_choice(database: Path) -> None:
    with duckdb.connect() as plain, store.reading(database) as connection:
        assert setting(connection, "memory_limit") == setting(plain, "memory_limit")
        assert setting(connection, "temp_directory") == f"{database}.tmp"


def test_readers_writers_and_sessions_take_the_limit(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "256MiB")
    monkeypatch.setenv(SPILL_VARIABLE, str(tmp_path / "it's" / "spilled"))
    for connect in (
        lambda: store.connect(path=database),
        lambda: store.connect(read_only=False, path=database),
        lambda: session.connect(database),
    ):
        with connect() as opened:
            assert setting(opened, "memory_limit") == "256.0 MiB"
            assert setting(opened, "temp_directory") == str(tmp_path / "it's" / "spilled")


@pytest.mark.parametrize("limit", ["2", "much", "50%", "2GB'; select 1 --"])
def test_a_limit_that_is_no_size_is_refused(database: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, limit)
    with pytest.raises(StoreError, match="expected a size with its unit, such as 2GB") as error:
        store.connect(path=database)
    assert repr(limit) in str(error.value)


def test_a_folder_that_cannot_be_made_is_named(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SPILL_VARIABLE, str(database / "below-a-file"))
    with pytest.raises(StoreError, match="below-a-file cannot be made"):
        store.connect(path=database)


def test_dbt_takes_the_limit_and_refuses_a_wrong_one(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    store.connect(read_only=False, path=commands.database).close()
    monkeypatch.setenv(LIMIT_VARIABLE, "300MiB")
    shown = commands.dbt("show", "--inline", "select current_setting('memory_limit') as taken")
    assert "300.0 MiB" in shown.stdout
    monkeypatch.setenv(LIMIT_VARIABLE, "300")
    refused = subprocess.run(
        commands.dbt_command("show", "--inline", "select 1 as one"),
        cwd=PROJECT,
        env=commands.dbt_environment(),
        capture_output=True,
        text=True,
    )
    assert refused.returncode != 0
    assert "MEMTAX_MEMORY_LIMIT is '300'; expected a size with its unit" in refused.stdout + refused.stderr


def test_doctor_says_the_limit(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "2GB")
    said = commands.memtax("doctor", check=False).stdout
    assert "memory: DuckDB takes up to 1.8 GiB (MEMTAX_MEMORY_LIMIT says so), and spills what is more to" in said
    assert f"{commands.database}.tmp" in said
