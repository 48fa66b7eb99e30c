"""A window that occurs a million times, counted by two worker processes of which one is killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from memtax.spark.events import describe, read_stages
from tests.conftest import PROJECT, Commands

SEQUENCES = 1_020_000
LENGTH = 64
MODELS = ["+feat_sequence__duplicates", "+duplicate_occurrences"]
EXECUTOR = "CoarseGrainedExecutorBackend"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, make_commands: Callable[[Path], Commands]) -> Commands:
    """A million sequences, read where they lie, that have one continuation but for every hundredth; counted on DuckDB."""
    folder = tmp_path_factory.mktemp("skewed")
    commands = make_commands(folder / "memtax.duckdb")
    rows = np.random.default_rng(3).integers(0, 200, (SEQUENCES, LENGTH), dtype=np.uint16)
    rows[:, 32:] = np.arange(32)
    rows[::100, 32:] = np.arange(32, 64)
    rows[:2, 32:] = np.arange(64, 96)
    rows.tofile(folder / "skewed.bin")
    commands.memtax(
        "ingest",
        "corpus",
        "skewed",
        folder / "skewed.bin",
        "--sequence-length",
        LENGTH,
        "--in-place",
        "--format",
        "bin",
    )
    commands.memtax("sample", "some", "--corpus", "skewed", "--n", 40, "--seed", 1)
    commands.dbt("run", "--select", *MODELS)
    return commands


def test_a_killed_executor_repeats_its_tasks_and_no_task_gets_all_rows(store: Commands, tmp_path: Path):
    expected = _contents(store.database)
    log = tmp_path / "events"
    log.mkdir()
    command = [
        sys.executable, "-m", "memtax", "spark", "build", "--master", "local-cluster[2,1,1024]",
        "--conf", "spark.driver.memory=1g", "--conf", "spark.executor.memory=1g",
        "--conf", "spark.eventLog.enabled=true", "--conf", f"spark.eventLog.dir=file://{log}",
        "--conf", "spark.eventLog.compress=false", "--", "--select", *MODELS,
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=store.environment | {"SPARK_WORKER_DIR": str(tmp_path / "workers"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    output, killed = [], None
    assert process.stdout is not None
    for line in process.stdout:
        output.append(line)
        if killed is None and "START" in line and "int_shard_window__counts" in line:
            killed = _kill_one_executor(process)
    assert process.wait() == 0, "".join(output)[-8000:]
    assert killed is not None, "an executor was running, and was killed"
    store.memtax("spark", "export")
    assert _contents(store.database) == expected
    with duckdb.connect(str(store.database), read_only=True) as connection:
        most = connection.execute("select max(sequence_duplicates) from feat_sequence__duplicates").fetchone()
    assert most is not None and most[0] >= 1_000_000

    stages = read_stages(log)
    for stage in stages:
        print(describe(stage))
    # Of a million rows with one window, each task of the scan sends on what it has added up.
    assert max(max(stage.shuffle_rows, default=0) for stage in stages) < SEQUENCES / 100
    assert sum(stage.lost for stage in stages) > 0, "tasks were lost with the executor, and ran again"


def _kill_one_executor(process: subprocess.Popen[str]) -> int:
    """Kill an executor of a build as soon as both have a Python worker, which the scan gives them; return its pid."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        processes = _processes(process.pid)
        working = {parent for parent, text in processes.values() if "pyspark.daemon" in text}
        executors = [pid for pid, (_, text) in processes.items() if EXECUTOR in text and pid in working]
        if len(executors) == 2:
            os.kill(executors[0], signal.SIGKILL)
            return executors[0]
        time.sleep(0.2)
    seen = "\n".join(f"{pid} of {parent}: {text[:300]}" for pid, (parent, text) in _processes(process.pid).items())
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    rest, _ = process.communicate()
    raise AssertionError(f"no two executors with Python workers appeared; there were:\n{seen}\n{rest[-6000:]}")


def _processes(session: int) -> dict[int, tuple[int, str]]:
    """Parent and command line of each process of a session."""
    lines = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,sid=,args="], capture_output=True, text=True, check=True
    ).stdout
    found = {}
    for line in lines.splitlines():
        pid, parent, sid, *text = line.split(None, 3)
        if int(sid) == session:
            found[int(pid)] = (int(parent), text[0] if text else "")
    return found


def _contents(database: Path) -> dict[str, list[tuple]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return {
            table: connection.execute(f"from main.{table} order by all").fetchall()
            for table in ("feat_sequence__duplicates", "duplicate_occurrences")
        }
