"""dbt under a memory limit that is a fraction of what it would take: it spills, finishes, and computes the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks._memory_runs import Run, differences, watched
from benchmarks._memory_store import dbt_command, make_store
from memtax import store

pytestmark = pytest.mark.slow

LIMIT_MB, LIMIT = 200, "200MB"
TOKENS, WINDOWS = 10_000_000, 150_000
# Without a tokenizer, since text takes time rather than memory: the scan with its windows and places, and what joins it.
SELECTED = ["--select", "+feat_sequence__duplicates", "+duplicate_occurrences", "+feat_sequence__token_frequency"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run, Path, Run]:
    """A store that was built without a limit, its run, and the same under one."""
    folder = tmp_path_factory.mktemp("past-memory")
    database = make_store(folder, TOKENS, WINDOWS, with_text=False)
    landed, free, limited = folder / "landed.duckdb", folder / "free.duckdb", folder / "limited.duckdb"
    shutil.copy(database, landed)
    command = dbt_command(folder / "target", "run", *SELECTED, threads=2, chunk_rows=100_000)
    runs = []
    # One path for both, so that dbt parses the project once.
    for limit, built in ((None, free), (LIMIT, limited)):
        runs.append(watched(command, database, limit))
        database.rename(built)
        shutil.copy(landed, database)
    return free, runs[0], limited, runs[1]


def test_the_limited_run_spills_and_the_free_one_does_not(built: tuple[Path, Run, Path, Run]) -> None:
    """How much memory the processes had is for benchmarks/past_memory.py: the C library and the kernel add what they like."""
    _, free_run, _, limited_run = built
    assert free_run.spilled_mib == 0
    assert limited_run.spilled_mib > LIMIT_MB / 4


@pytest.mark.parametrize("schema", ["main", "intermediate"])
def test_every_value_is_the_same(built: tuple[Path, Run, Path, Run], schema: str) -> None:
    free, _, limited, _ = built
    different, values = differences(free, limited, schema)
    # It says when and how long.
    assert [name for name in different if not name.startswith("udf_rows_by_run.")] == []
    assert values > 10 * WINDOWS


def test_the_scan_was_parted(built: tuple[Path, Run, Path, Run]) -> None:
    """What an aggregate holds of each window does not spill: under the limit, the windows are counted in several passes."""
    free, _, limited, _ = built
    seen = []
    for path in (free, limited):
        with store.reading(path) as connection:
            seen.append(
                connection.execute(
                    "select sum(n_rows) filter (udf like 'count_windows%'), sum(n_rows) filter (udf = 'find_window') from "
                    "intermediate.udf_rows_by_run where model = 'int_shard_window__counts'"
                ).fetchone()
            )
    assert seen[1][0] >= 2 * seen[0][0] > 0  # sequences that were scanned
    assert seen[1][1] == seen[0][1] >= 3 * WINDOWS


def test_a_difference_would_be_seen(built: tuple[Path, Run, Path, Run], tmp_path: Path) -> None:
    free, _, limited, _ = built
    changed = tmp_path / "changed.duckdb"
    shutil.copy(limited, changed)
    with store.connect(read_only=False, path=changed) as connection:
        connection.execute(
            "update feat_sequence__token_frequency set avg_frequency = avg_frequency + 1e-9 "
            "where sequence_id = (select min(sequence_id) from feat_sequence__token_frequency)"
        )
    assert differences(free, changed)[0] == [
        "feat_sequence__token_frequency.whole rows",
        "feat_sequence__token_frequency.avg_frequency",
    ]
