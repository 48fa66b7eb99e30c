"""What no command foresees is one message too: a disk, a permission, a store of another version."""

from __future__ import annotations

import errno
from pathlib import Path

import click
import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest
from click.testing import CliRunner

from memtax import cli
from memtax.failures import in_words


@pytest.mark.parametrize(
    ("error", "said", "remedy"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "/there"), "/there: No such file", "check that it is there"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/there"),
            "/there: Permission denied",
            "that you may read",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device", "make room"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/long"), "/long: File name too long", "name another place"),
        (OSError(errno.EIO, "Input/output error", "/there"), "/there: Input/output error", "the disk"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files", "ulimit -n"),
        (duckdb.BinderException(""), "(BinderException)", "run dbt run"),
        (duckdb.BinderException("no column x\n\nLINE 1: x"), "tables are not as expected (no column x)", "run dbt run"),
        (duckdb.OutOfMemoryException("failed to allocate"), "failed to allocate", "MEMTAX_MEMORY_LIMIT"),
        (duckdb.IOException("could not write"), "could not write", "that the disk has room"),
    ],
)
def test_it_says_what_came_and_what_to_do(error: Exception, said: str, remedy: str) -> None:
    words = in_words(error)
    assert words is not None
    assert said in words and remedy in words
    assert "\n" not in words


def test_a_file_that_arrow_cannot_make_is_named_once(tmp_path: Path) -> None:
    place = tmp_path / "gone" / "rows.parquet"
    with pytest.raises(OSError) as caught:
        pyarrow.parquet.write_table(pa.table({"a": [1]}), place)
    words = in_words(caught.value)
    assert words is not None
    assert str(place) in words and "Detail" not in words


@pytest.mark.parametrize(
    "error", [ValueError("a bug"), BrokenPipeError(errno.EPIPE, "Broken pipe"), OSError("timed out")]
)
def test_what_a_traceback_explains_better_is_left_alone(error: Exception) -> None:
    assert in_words(error) is None


def test_the_command_line_prints_the_message_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command
    def failing() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/there")

    monkeypatch.setattr(cli.LazyCommands, "get_command", lambda self, context, name: failing)
    result = CliRunner().invoke(cli.main, ["failing"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: /there: Permission denied; check")
