"""The small demo, as `make demo SIZE=small` leaves it, built again on Spark: every mart is equal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Commands
from tests.spark.parity import read_tables, require_equal


@pytest.mark.slow
def test_the_demo_is_equal_on_both_engines(demo: Commands, tmp_path: Path, make_commands: Callable[[Path], Commands]):
    commands = make_commands(Path(shutil.copy(demo.database, tmp_path / "memtax.duckdb")))
    on_duckdb = read_tables(commands.database)
    assert on_duckdb["features"][1], "the demo has rows to compare"
    commands.memtax("spark", "build", "--master", "local[2]", "--conf", "spark.driver.memory=1500m")
    commands.memtax("spark", "export")
    require_equal(on_duckdb, read_tables(commands.database))
