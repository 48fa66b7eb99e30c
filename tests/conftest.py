"""What many tests need: the project's folder, dbt and memtax as subprocesses, and one small demo store, built once."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

PROJECT = Path(__file__).resolve().parent.parent
SHARED_DATA = PROJECT.parent / "shared" / "data"


# A busy machine or a sanitizer makes anything slow: no test of this suite fails for the time that it takes.
settings.register_profile("memtax", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("memtax")


def pytest_configure() -> None:
    """Let Ctrl-C reach the processes that tests start.

    A shell that runs a job in the background without job control, as CI does, has it ignore SIGINT, and what it starts
    inherits that: a test that sends the signal would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def interrupt(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C: send SIGINT to the process's main thread, the only one that Python can stop in a wait.

    A signal for the process as a whole may be handed to any thread. On some kernels a worker thread takes one in ten, and
    then the main thread, asleep in a lock, hears of it only when it wakes; a person presses again.
    """
    if sys.platform == "linux":
        assert ctypes.CDLL(None).tgkill(process.pid, process.pid, signal.SIGINT) == 0
    else:
        process.send_signal(signal.SIGINT)


@dataclass(frozen=True)
class Commands:
    """Runs the real command line tools against one database."""

    database: Path
    target: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "MEMTAX_DATABASE": str(self.database),
            "MEMTAX_PROJECT": str(PROJECT),
            "HF_HUB_OFFLINE": "1",
            "COLUMNS": "200",
        }

    def dbt_environment(self) -> dict[str, str]:
        """The environment of dbt's next run, by which the database lies where that of every other run lay.

        What dbt parsed holds for one path of the database, and to parse every file again takes longer than most runs here.
        """
        link = self.target / "store"
        link.unlink(missing_ok=True)
        link.symlink_to(self.database.parent, target_is_directory=True)
        return self.environment | {"MEMTAX_DATABASE": str(link / self.database.name)}

    def dbt_command(self, *arguments: str) -> list[str]:
        dbt = str(Path(sys.executable).with_name("dbt"))
        # For the same reason, runs with other vars have a target folder of their own.
        named = [text for option, text in pairwise(arguments) if option == "--vars"]
        target = self.target.joinpath(*(f"vars-{crc32(text.encode()):08x}" for text in named))
        return [dbt, "--no-use-colors", *arguments, "--target-path", str(target), "--log-path", str(target / "logs")]

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run dbt in the project's folder; fails the test with dbt's output unless it succeeds."""
        result = subprocess.run(
            self.dbt_command(*arguments), cwd=PROJECT, env=self.dbt_environment(), capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-4000:]
        return result

    def memtax(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a memtax command in the project's folder; fails the test with its output unless it succeeds."""
        result = subprocess.run(
            [sys.executable, "-m", "memtax", *map(str, arguments)],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if check:
            assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-8000:]
        return result


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The target folder of all dbt calls of the session, so that only the first with the same vars parses every file."""
    return tmp_path_factory.mktemp("target")


@pytest.fixture
def commands(tmp_path: Path, dbt_target: Path) -> Commands:
    """The commands on a database of this test's own."""
    return Commands(tmp_path / "memtax.duckdb", dbt_target)


@pytest.fixture(scope="session")
def make_commands(dbt_target: Path) -> Callable[[Path], Commands]:
    """The commands on a database that the caller names, for fixtures that outlive one test."""
    return lambda database: Commands(database, dbt_target)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, make_commands: Callable[[Path], Commands]) -> Commands:
    """The small demo, built once by the same entry that `make demo` uses; tests only read it.

    Processes that share the tests among them (pytest-xdist) share it too: the first to ask builds, the others wait. Where
    MEMTAX_TEST_DEMO names a folder, as it does in CI, it is kept there for the next run of pytest on the same sources.
    """
    base = tmp_path_factory.getbasetemp()
    shared = os.environ.get("MEMTAX_TEST_DEMO") or (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
    folder = Path(shared) / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    commands = make_commands(folder / "memtax.duckdb")
    output = folder / "output.txt"
    with FileLock(folder / "lock"):
        if not output.exists():
            result = subprocess.run(
                [sys.executable, "-m", "memtax.demo", "--size", "small"],
                cwd=PROJECT,
                env=commands.environment,
                capture_output=True,
                text=True,
            )
            assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-8000:]
            output.write_text(result.stdout, encoding="utf-8")
    return commands


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The labelled sequences beside the project; tests that read them are skipped where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the labelled sequences (../shared/data) are not beside this checkout")
    return SHARED_DATA
