"""A build on Spark of which one process is killed while it scans a corpus."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.conftest import PROJECT

# dbt says so of the model that scans.
SCAN_STARTS = ("START", "int_shard_window__counts")


def build_and_kill(
    arguments: Sequence[str | Path], environment: Mapping[str, str], kind: str, corpus: str, below: Sequence[int] = ()
) -> None:
    """Run `memtax spark build` to its good end, but kill one of two processes of a kind in the middle of its scan.

    Args:
        arguments: of the build.
        environment: what it runs in.
        kind: what the command line of the processes that are meant holds.
        corpus: the name of a file of the corpus that is scanned.
        below: sessions in which those are; none says that the build starts them itself.

    Raises:
        AssertionError: the build failed, or none was killed.
    """
    build = subprocess.Popen(
        [sys.executable, "-m", "memtax", "spark", "build", *arguments],
        cwd=PROJECT,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    output, killed = [], None
    assert build.stdout is not None
    try:
        for line in build.stdout:
            output.append(line)
            if killed is None and all(part in line for part in SCAN_STARTS):
                killed = scanning(below or [build.pid], kind, 2, corpus, lambda: build.poll() is None)
                os.kill(killed, signal.SIGKILL)
        assert build.wait() == 0, "".join(output)[-8000:]
    finally:  # what it started is of its group, too
        if build.poll() is None:
            os.killpg(build.pid, signal.SIGTERM)
            build.wait()
    assert killed is not None, f"a {kind} was scanning, and was killed"


def scanning(sessions: Sequence[int], kind: str, count: int, corpus: str, at_work: Callable[[], bool]) -> int:
    """That of some processes below which a Python worker has just mapped tokens of a corpus.

    Args:
        sessions: of processes, in which to look.
        kind: what the command line of the processes that are meant holds.
        count: how many of these there must be, so that others are left.
        corpus: the name of a file of it.
        at_work: whether the build still runs; where it ends first, none was seen.

    Returns:
        its pid.
    """
    while at_work():
        processes = _processes(sessions)
        wanted = {pid for pid, (_, text) in processes.items() if kind in text}
        workers = [pid for pid, (_, text) in processes.items() if "pyspark.daemon" in text]
        # A list of processes takes longer than a look at what these map, which comes and goes with each batch.
        # One that is alone leaves none that could go on, so that it is not looked at.
        for _ in range(20 if len(wanted) == count else 0):
            for worker in workers:
                pid = _ancestor(worker, processes, wanted)
                if pid is not None and _maps(worker, corpus):
                    return pid
            time.sleep(0.01)
        time.sleep(0.01)
    seen = "\n".join(f"{pid} of {parent}: {text[:300]}" for pid, (parent, text) in _processes(sessions).items())
    raise AssertionError(f"none of {count} × {kind} was seen to scan {corpus}; there were:\n{seen}")


def _maps(pid: int, name: str) -> bool:
    """Whether a process maps a file of a name; one that has gone does not."""
    try:
        return name in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _ancestor(pid: int, processes: dict[int, tuple[int, str]], wanted: set[int]) -> int | None:
    """The process of `wanted` from which another descends."""
    while pid in processes and pid not in wanted:
        pid = processes[pid][0]
    return pid if pid in wanted else None


def _processes(sessions: Sequence[int]) -> dict[int, tuple[int, str]]:
    """Parent and command line of each process of some sessions."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Behind the name, which is in brackets and may hold any: state, parent, group, session.
            fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[3]) in sessions:
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = (int(fields[1]), words.decode(errors="replace").strip())
        except OSError:  # it has gone
            continue
    return found
