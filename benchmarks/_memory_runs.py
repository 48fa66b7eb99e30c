"""dbt runs whose memory and spilled bytes are watched, and stores that are compared value by value."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._memory_store import environment  # noqa: E402


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        seconds: of the whole process.
        peak_mib: the most memory that the process had, mapped files included.
        spilled_mib: the most that lay in DuckDB's temporary folder at a time.
        output: what dbt said.
    """

    seconds: float
    peak_mib: float
    spilled_mib: float
    output: str


def watched(command: list[str], database: Path, limit: str | None) -> Run:
    """Run dbt on a store, DuckDB limited or not; a run that fails has said why in the exception.

    Raises:
        RuntimeError: it failed.
    """
    log = database.with_suffix(".log")
    spilled, began, done = 0, time.perf_counter(), threading.Event()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(database, limit), stdout=output, stderr=subprocess.STDOUT
        )

        def watch() -> None:
            nonlocal spilled
            while not done.wait(0.05):
                spilled = max(spilled, _folder_bytes(Path(f"{database}.tmp")))

        watching = threading.Thread(target=watch)
        watching.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        done.set()
        watching.join()
    seconds, said = time.perf_counter() - began, log.read_text(encoding="utf-8")
    if process.returncode:
        raise RuntimeError(f"dbt failed under the memory limit {limit}:\n{said[-6000:]}")
    peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Run(seconds, peak, spilled / 2**20, said)


def differences(first: Path, second: Path, schema: str = "main") -> tuple[list[str], int]:
    """What differs between the tables of two stores, in words, whatever the order of their rows; and how many values agree.

    Rows are compared by their digests, which no two floating-point numbers share unless they are equal to the last bit.
    """
    different, values = [], 0
    with duckdb.connect() as connection:
        for name, path in (("one", first), ("two", second)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        tables: list[list[str]] = []
        for name in ("one", "two"):
            found = connection.execute(
                "select table_name from duckdb_tables() where database_name = ? and schema_name = ? order by 1",
                [name, schema],
            ).fetchall()
            tables.append([table for (table,) in found])
        if tables[0] != tables[1] or not tables[0]:
            return [f"tables: {tables[0]} and {tables[1]}"], 0
        for table in tables[0]:
            digests = [_digests(connection, f'{name}.{schema}."{table}"') for name in ("one", "two")]
            different += [
                f"{table}.{column}" for column, digest in digests[0].items() if digest != digests[1].get(column)
            ]
            values += digests[0]["rows"] * (len(digests[0]) - 2)
    return different, values


def _digests(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, int]:
    """Sums of the hashes of each column and of whole rows, and the number of rows."""
    columns = [name for name, *_ in connection.execute(f"describe from {relation}").fetchall()]
    sums = [f'sum(cast(hash("{name}") as hugeint))' for name in columns]
    row = connection.execute(
        f"select count(*), coalesce(sum(cast(hash(rows) as hugeint)), 0), {', '.join(sums)} from {relation} as rows"
    ).fetchone()
    return dict(zip(["rows", "whole rows", *columns], row or (), strict=True))


def _folder_bytes(folder: Path) -> int:
    total = 0
    try:
        for entry in os.scandir(folder):
            total += entry.stat().st_size
    except OSError:  # it comes and goes with the files in it
        return total
    return total
