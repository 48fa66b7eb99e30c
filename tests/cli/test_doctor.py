"""`memtax doctor`: says what is there, and fails where something that is needed is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

from memtax import store
from tests.conftest import Commands


def test_a_built_store_is_in_order(demo: Commands) -> None:
    output = demo.memtax("doctor").stdout
    for expected in ("python", "duckdb", "native extension", "uses", "features", "rows", "demo-large"):
        assert expected in output
    assert "✗" not in output


def test_no_database_is_only_a_note(commands: Commands) -> None:
    result = commands.memtax("doctor")
    assert "is not there yet" in result.stdout


def test_a_missing_model_is_a_fault_with_a_remedy(demo: Commands, commands: Commands, tmp_path: Path) -> None:
    shutil.copy(demo.database, commands.database)
    with store.writing(commands.database) as connection:
        connection.execute("update raw.models set location = ?", [str(tmp_path / "gone")])
    result = commands.memtax("doctor", check=False)
    assert result.returncode == 1
    assert "is gone" in result.stdout
    assert "memtax ingest model" in result.stdout
