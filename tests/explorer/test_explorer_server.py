"""`memtax explore` as a process: where it listens, what it says of a port that is taken, and how it ends."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path

import pytest

from memtax.errors import MemtaxError
from memtax.explorer.server import HOST, address_of, listen
from tests.conftest import interrupt
from tests.explorer.process import address_of as said_address
from tests.explorer.process import explored


def test_it_serves_until_ctrl_c_and_ends_without_a_word(unkind: Path) -> None:
    with explored(unkind, "--port", "0") as process:
        with urllib.request.urlopen(said_address(process), timeout=20) as answer:
            assert b"What is memorized" in answer.read()
        interrupt(process)
        out, rest = process.communicate(timeout=60)
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
