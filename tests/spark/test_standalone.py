"""A cluster as Spark itself has them, a master and two workers on this machine, of which one is killed in the scan."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.conftest import Commands
from tests.corpus.helpers import write_bin
from tests.spark.corpora import fill_one
from tests.spark.parity import QUICK, column, read_tables, require_export_equal
from tests.spark.processes import build_and_kill

WINDOW = 64
WORKER = "org.apache.spark.deploy.worker.Worker"
# What the workers count; the other features take the same ways, and tests/spark/test_lost_executors.py has them all.
MODELS = ["+feat_sequence__duplicates"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="/proc tells which worker scans"),
]


class Cluster(NamedTuple):
    """Its address, and its workers, each the first process of a session of its own."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A master and two workers of one core each, by the script that comes with PySpark."""
    started = []

    def start(name: str, *arguments: str) -> Path:
        import pyspark

        log = tmp_path / f"{name}.log"
        script = Path(pyspark.__file__).with_name("bin") / "spark-class"
        environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
        with log.open("wb") as file:
            started.append(
                subprocess.Popen(
                    [str(script), *arguments, "--host", "127.0.0.1", "--webui-port", "0"],
                    cwd=tmp_path,
                    env=environment,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        return log

    try:
        log = start("master", "org.apache.spark.deploy.master.Master", "--port", "0")
        address = _said(log, r"Starting Spark master at (spark://\S+)")
        for number in (1, 2):
            folder = ["--work-dir", str(tmp_path / f"worker-{number}")]
            log = start(f"worker-{number}", WORKER, "--cores", "1", "--memory", "1g", *folder, address)
            _said(log, r"(Successfully registered) with master")
        yield Cluster(address, started[1:])
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)


def test_a_build_on_a_standalone_cluster_is_equal_though_a_worker_is_killed(
    cluster: Cluster, tmp_path: Path, make_commands: Callable[[Path], Commands]
):
    commands = make_commands(tmp_path / "memtax.duckdb")
    random = np.random.default_rng(3)
    fill_one(commands, random, WINDOW)
    # One that both workers scan for a while.
    path = write_bin(tmp_path / "long.bin", random.integers(0, 200, (400_000, WINDOW), dtype=np.uint16))
    commands.memtax("ingest", "corpus", "long", path, "--sequence-length", WINDOW, "--in-place")
    commands.memtax("sample", "some of long", "--corpus", "long", "--n", 20, "--seed", 1)
    commands.dbt("run", "--select", *MODELS)
    on_duckdb = read_tables(commands.database)
    assert max(column(on_duckdb, "feat_sequence__duplicates", "sequence_duplicates")) > 1
    build = ["--master", cluster.address, "--conf", "spark.executor.memory=800m", *QUICK]
    environment = commands.environment | {"SPARK_LOCAL_IP": "127.0.0.1"}
    sessions = [worker.pid for worker in cluster.workers]
    build_and_kill([*build, "--", "--select", *MODELS], environment, WORKER, "long.bin", sessions)
    require_export_equal(commands, on_duckdb)


def _said(log: Path, pattern: str) -> str:
    """What a process said in its log, once it says it."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = re.search(pattern, log.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"no {pattern!r} in:\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")
