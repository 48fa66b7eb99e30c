"""`memtax explore` as people start it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import PROJECT


@contextmanager
def explored(database: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command on a database, killed at the end."""
    environment = os.environ | {"MEMTAX_DATABASE": str(database), "MEMTAX_PROJECT": str(PROJECT)}
    command = [sys.executable, "-m", "memtax", "explore", "--no-browser", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def address_of(process: subprocess.Popen[str]) -> str:
    """Where it says that it can be reached; waits until it does."""
    assert process.stderr is not None
    said = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", said)
    assert found is not None, said + process.stderr.read()
    return found[0]
