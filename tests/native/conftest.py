"""The kernels under test are those of the build that tests/native/run_sanitized.py names, in every process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import memtax_native


def pytest_configure() -> None:
    build = os.environ.get("MEMTAX_NATIVE_BUILD")
    found = Path(memtax_native.__file__)
    if build and not found.is_relative_to(build):
        pytest.exit(f"memtax_native is that of {found.parent}; expected the build in {build}", returncode=1)
