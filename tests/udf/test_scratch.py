"""The scratch folder: made beside the database, emptied of what a killed run left, gone with the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT


def test_it_lives_as_long_as_the_process(tmp_path: Path) -> None:
    leftover = tmp_path / "store.duckdb.scratch" / "left-by-a-killed-run"
    leftover.parent.mkdir()
    leftover.touch()
    code = (
        "import pyarrow as pa; from pathlib import Path; from udf.scratch import scratch_folder; "
        f"folder = Path(scratch_folder(pa.array([{str(tmp_path / 'store.duckdb')!r}]))[0].as_py()); "
        "assert folder.is_dir() and not list(folder.iterdir()); (folder / 'one').touch(); print(folder)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == str(leftover.parent)
    assert not leftover.parent.exists()
