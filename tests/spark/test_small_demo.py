"""The small demo, as `make demo SIZE=small` leaves it, built again on Spark: every mart is equal (`make sparkslow`)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Commands
from tests.spark.parity import read_tables, require_equal_on_spark


@pytest.mark.slow
def test_the_demo_is_equal_on_both_engines(demo: Commands, tmp_path: Path, make_commands: Callable[[Path], Commands]):
    commands = make_commands(Path(shutil.copy(demo.database, tmp_path / "memtax.duckdb")))
    assert read_tables(commands.database)["features"][1], "the demo has rows to compare"
    require_equal_on_spark(commands)
