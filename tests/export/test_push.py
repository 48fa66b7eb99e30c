"""`memtax export --push` against a server that speaks the hub's protocol, with the faults that a hub can make."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT, Commands
from tests.export.hub_server import TOKEN, HubServer

pytestmark = pytest.mark.slow

NAME = "somebody/memorized"


@pytest.fixture
def hub() -> Iterator[HubServer]:
    server = HubServer()
    yield server
    server.close()


def push(
    demo: Commands, hub: HubServer, folder: Path, *options: str, token: str | None = TOKEN
) -> subprocess.CompletedProcess[str]:
    environment = demo.environment | {
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HOME": str(folder.parent / "hf"),
    }
    environment.pop("HF_TOKEN", None)
    if token:
        environment["HF_TOKEN"] = token
    command = [
        sys.executable,
        "-m",
        "memtax",
        "export",
        str(folder),
        "--push",
        NAME,
        "--tables",
        "dim_corpora,dim_models",
    ]
    result = subprocess.run([*command, *options], cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert "Traceback" not in result.stderr
    assert TOKEN not in result.stdout + result.stderr
    return result


def test_a_folder_arrives_whole_and_private(demo: Commands, hub: HubServer, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    result = push(demo, hub, folder)
    assert result.returncode == 0, result.stderr
    there = {path: content for path, content in hub.state.repositories[NAME].items() if path != ".gitattributes"}
    assert there == {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert hub.state.private[NAME]
    # The same bytes again: nothing is sent twice, and shards that are no longer exported go.
    sent = len(hub.state.uploads)
    assert push(demo, hub, folder, "--tables", "dim_corpora").returncode == 0
    assert len(hub.state.uploads) == sent
    assert not any(path.startswith("dim_models/") for path in hub.state.repositories[NAME])


def test_a_cut_connection_is_completed_by_the_same_command(demo: Commands, hub: HubServer, tmp_path: Path) -> None:
    hub.state.cut_after_uploads = 1
    failed = push(demo, hub, tmp_path / "out")
    assert failed.returncode == 1
    assert "was cut off" in failed.stderr
    assert "run the same command again" in failed.stderr
    assert hub.state.commits == 0
    hub.state.cut_after_uploads = None
    assert push(demo, hub, tmp_path / "out").returncode == 0
    assert len(hub.state.uploads) == 2, "the shard that had arrived was sent again"


@pytest.mark.parametrize(
    ("fault", "token", "expected"),
    [
        ({}, None, "run hf auth login, or set HF_TOKEN"),
        ({}, "hf_other", "does not accept the token (401)"),
        ({"status_of_create": 403}, TOKEN, "may not write to somebody/memorized (403)"),
        ({"status_of_commit": 412}, TOKEN, "at the same time (412)"),
        ({"status_of_commit": 403}, TOKEN, "may not write to somebody/memorized (403)"),
    ],
)
def test_a_failure_is_one_line_and_leaves_nothing_half_done(
    demo: Commands, hub: HubServer, tmp_path: Path, fault: dict[str, int], token: str | None, expected: str
) -> None:
    for name, value in fault.items():
        setattr(hub.state, name, value)
    result = push(demo, hub, tmp_path / "out", token=token)
    assert result.returncode == 1
    assert expected in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert hub.state.commits == 0
    if fault.get("status_of_commit") == 412:  # the others stop before anything was sent
        hub.state.status_of_commit = None
        assert push(demo, hub, tmp_path / "out").returncode == 0


def test_another_dataset_of_that_name_is_left_alone(demo: Commands, hub: HubServer, tmp_path: Path) -> None:
    theirs = {"README.md": b"theirs", "data.csv": b"a"}
    hub.state.repositories[NAME] = dict(theirs)
    hub.state.private[NAME] = True
    result = push(demo, hub, tmp_path / "out")
    assert result.returncode == 1
    assert "nothing was changed" in result.stderr
    assert hub.state.repositories[NAME] == theirs
