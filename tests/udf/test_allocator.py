"""Memory that is freed stays with the process, unless the environment says otherwise."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is told what to do")

# Blocks as large as a batch of sequences takes, written to and freed; the faults of the second round.
FAULTS = """
import resource
from udf.allocator import keep_freed_memory

def faults_of_a_round():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        b"x" * (40 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

kept = keep_freed_memory()
faults_of_a_round()
print(kept, faults_of_a_round())
"""
PAGES = 4 * (40 << 20) // os.sysconf("SC_PAGE_SIZE")


def run(**environment: str) -> tuple[str, int]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MALLOC_", "GLIBC_"))}
    result = subprocess.run(
        [sys.executable, "-c", FAULTS], env=inherited | environment, capture_output=True, text=True, check=True
    )
    kept, faults = result.stdout.split()
    return kept, int(faults)


def test_a_second_round_finds_its_pages_in_place() -> None:
    kept, faults = run()
    assert kept == "True"
    assert faults < PAGES / 100


@pytest.mark.parametrize("variable", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_"])
def test_the_environment_has_the_last_word(variable: str) -> None:
    assert run(**{variable: "131072"})[0] == "False"
