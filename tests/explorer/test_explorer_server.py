"""`memtax explore` as a process: where it listens, what it says of a port that is taken, and how it ends."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memtax.errors import MemtaxError
from memtax.explorer.server import HOST, address_of, listen
from tests.conftest import PROJECT, interrupt


@contextmanager
def explored(database: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"MEMTAX_DATABASE": str(database), "MEMTAX_PROJECT": str(PROJECT)}
    command = [sys.executable, "-m", "memtax", "explore", "--no-browser", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_serves_until_ctrl_c_and_ends_without_a_word(unkind: Path) -> None:
    with explored(unkind, "--port", "0") as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert address, said
        with urllib.request.urlopen(address[0], timeout=20) as answer:
            assert b"What is memorized" in answer.read()
        interrupt(process)
        out, rest = process.communicate(timeout=20)
    assert (process.returncode, out, rest) == (0, "", "")


def test_a_port_that_is_taken_is_named(unkind: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = str(taken.getsockname()[1])
        with explored(unkind, "--port", port) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"port {port} is taken" in said and "--port 0" in said and "Traceback" not in said


def test_without_a_store_it_says_so(tmp_path: Path) -> None:
    with explored(tmp_path / "none.duckdb") as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no database at" in said and "Traceback" not in said


def test_it_listens_on_the_loopback_alone_and_a_second_one_does_not_share() -> None:
    first = listen(0)
    try:
        assert first.getsockname()[0] == "127.0.0.1"
        assert address_of(first) == f"http://127.0.0.1:{first.getsockname()[1]}/"
        with pytest.raises(MemtaxError, match="is taken"):
            listen(first.getsockname()[1])
    finally:
        first.close()
