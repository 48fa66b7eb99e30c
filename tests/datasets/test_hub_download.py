"""`memtax ingest hub` by hub id, through the real client, from a server on this machine that speaks the hub's protocol."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memtax import store
from tests.conftest import PROJECT, Commands
from tests.datasets.published_hub import make
from tests.export.hub_server import HubServer

pytestmark = pytest.mark.slow

NUMBERS = "usvsnsp/generation-num-duplicates"
FREQUENCIES = "usvsnsp/deduped-num-frequencies"
Ingest = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubServer]:
    server = HubServer()
    for repository in (NUMBERS, FREQUENCIES):
        folder = make(tmp_path / "published", repository)
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}
        server.state.publish(repository, {"README.md": b"a card", **files})
    yield server
    server.close()


@pytest.fixture
def ingest(hub: HubServer, commands: Commands, tmp_path: Path) -> Ingest:
    environment = commands.environment | {
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HOME": str(tmp_path / "hf"),
    }
    environment.pop("HF_TOKEN", None)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "memtax", "ingest", "hub", *arguments]
        result = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
        assert "Traceback" not in result.stderr
        return result

    return run


def shards(hub: HubServer, repository: str, split: str) -> dict[str, bytes]:
    files = hub.state.repositories[repository]
    return {path: content for path, content in sorted(files.items()) if path.startswith(f"data/{split}-")}


def test_a_connection_that_is_cut_half_way_goes_on_from_there(hub: HubServer, ingest: Ingest) -> None:
    # The client keeps whole blocks of 10 MiB of a file.
    n_rows = 700_000
    values = pa.array(np.random.default_rng(3).integers(0, 2**62, n_rows))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"sequence_id": np.arange(n_rows), "counts": values}), sink, compression="none")
    content, path = sink.getvalue().to_pybytes(), "data/duped-00000-of-00001.parquet"
    hub.state.repositories[NUMBERS][path] = content
    cut = len(content) - 1_000
    hub.state.cuts[path] = [cut]
    result = ingest(NUMBERS, "--split", "duped")
    assert result.returncode == 0, result.stderr
    assert f"duped: landed {n_rows:,} rows" in result.stdout
    sent = [sent[1:] for sent in hub.state.sent if sent[0] == path]
    assert sent == [(0, cut), (10 * 2**20, len(content) - 10 * 2**20)]


def test_a_connection_that_stays_cut_is_one_line_and_the_same_command_goes_on(
    hub: HubServer, ingest: Ingest, commands: Commands
) -> None:
    (kept, _), (cut, content) = shards(hub, NUMBERS, "deduped").items()
    hub.state.cuts[cut] = [10, *([0] * 100)]
    failed = ingest(NUMBERS, "--split", "deduped")
    assert failed.returncode == 1
    assert "run the same command again to go on" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1, failed.stderr
    assert not commands.database.exists(), "nothing was opened before the files were there"
    hub.state.cuts.clear()
    hub.state.sent.clear()
    result = ingest(NUMBERS, "--split", "deduped")
    assert result.returncode == 0, result.stderr
    assert kept not in [path for path, *_ in hub.state.sent], "a file that had arrived was fetched again"
    assert sum(sent for path, _, sent in hub.state.sent if path == cut) == len(content)
    hub.state.sent.clear()
    assert "already landed" in ingest(NUMBERS, "--split", "deduped").stdout
    assert hub.state.sent == []


def test_of_similar_names_only_the_split_is_fetched(hub: HubServer, ingest: Ingest, commands: Commands) -> None:
    assert "memorized: landed 100 rows" in ingest(FREQUENCIES, "--split", "memorized").stdout
    assert {path for path, *_ in hub.state.sent} == set(shards(hub, FREQUENCIES, "memorized"))
    # Another split that was not fetched whole is in nobody's way.
    first, second = shards(hub, FREQUENCIES, "non_memorized")
    hub.state.cuts[second] = [0] * 100
    assert ingest(FREQUENCIES, "--split", "non_memorized").returncode == 1
    assert first in [path for path, *_ in hub.state.sent]
    assert "already landed" in ingest(FREQUENCIES, "--split", "memorized").stdout
    with store.reading(commands.database) as connection:
        assert connection.execute("select split, n_rows from raw.published_tables").fetchall() == [("memorized", 100)]


def test_what_the_hub_does_not_have_is_one_line(ingest: Ingest) -> None:
    for arguments, expected in (
        ((NUMBERS, "--split", "duped"), "has no Parquet files of a split duped"),
        (("EleutherAI/pythia-memorized-evals", "--split", "duped.70m"), "cannot be fetched from the hub"),
        ((NUMBERS, "--split", "nonsense"), "has no split 'nonsense'"),
        ((NUMBERS,), "has no split"),
    ):
        result = ingest(*arguments)
        assert result.returncode == 1
        assert expected in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr
