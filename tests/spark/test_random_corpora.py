"""Random corpora of many shapes, with windows of unusual lengths: both engines count the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from memtax import store
from tests.conftest import Commands
from tests.corpus.helpers import write_bin, write_mmap
from tests.dbt.conftest import evaluate
from tests.spark.parity import Tables, read_tables, require_equal_on_spark

COUNTS = [
    "+feat_sequence__duplicates",
    "+duplicate_occurrences",
    "+token_frequencies",
    "+feat_sequence__token_frequency",
]


@pytest.mark.parametrize(
    ("seed", "prompt", "continuation", "models"),
    # A span that is too short for the scan to look for, and one that is too long.
    [
        pytest.param(1, 7, 21, ["+features", *COUNTS], id="short"),
        pytest.param(2, 60, 70, COUNTS, id="long"),
    ],
)
def test_random_corpora_are_equal_on_both_engines(
    seed: int,
    prompt: int,
    continuation: int,
    models: list[str],
    tmp_path: Path,
    make_commands: Callable[[Path], Commands],
):
    commands = make_commands(tmp_path / "memtax.duckdb")
    random = np.random.default_rng(seed)
    _fill(commands, random, prompt + continuation)
    select = ["--select", *models]
    settings = json.dumps({"embed_with": "", "prompt_length": prompt, "continuation_length": continuation})
    commands.dbt("run", *select, "--vars", settings)
    counts = _column(read_tables(commands.database), "sequence_duplicates")
    assert max(counts) > 1 and min(counts) == 0, "some occur often, and what was taken from elsewhere never"
    require_equal_on_spark(commands, "--", *select, "--vars", settings)


def _fill(commands: Commands, random: np.random.Generator, window: int) -> None:
    """Four corpora: equal lengths in three shards, wide ids, sequences of all lengths in place, and one file in place."""
    folder = commands.database.parent
    planted = random.integers(0, 50, window)

    length = window + int(random.integers(0, 40))
    square = _rows(random, [length] * int(random.integers(20, 60)), 50_000, planted)
    first, second = sorted(random.integers(1, len(square), 2))
    parts = [part for part in (square[:first], square[first:second], square[second:]) if part]
    for number, part in enumerate(parts):
        path = write_bin(folder / f"square-{number}.bin", part)
        _ingest(commands, "square", path, "--sequence-length", length, *(["--append"] if number else []))
    wide = _rows(random, random.integers(0, 3 * window, 30), 2**20, planted)
    _ingest(commands, "wide", *write_mmap(folder / "wide", wide, "int32"), "--format", "mmap")
    ragged = _rows(random, random.integers(0, 3 * window, 40), 300, planted)
    _ingest(commands, "ragged", *write_mmap(folder / "ragged", ragged), "--format", "mmap", "--in-place")
    # A shard in which no window has room: empty sequences, and short ones.
    short = [[], *_rows(random, random.integers(0, window // 2, 5), 300, planted), [1]]
    _ingest(commands, "ragged", *write_mmap(folder / "short", short), "--format", "mmap", "--in-place", "--append")
    lying = _rows(random, [2 * window] * 33, 10, planted)
    lying[5] = [7] * len(lying[5])  # occurs at every place of itself
    np.save(folder / "lying.npy", np.array(lying, np.uint16))
    _ingest(commands, "lying", folder / "lying.npy", "--in-place")

    for corpus, rows in (("square", square), ("wide", wide), ("ragged", ragged), ("lying", lying)):
        long_enough = [number for number, row in enumerate(rows) if len(row) >= window]
        chosen = random.choice(long_enough, min(12, len(long_enough)), replace=False)
        places = [(int(number), int(random.integers(0, len(rows[number]) - window + 1))) for number in chosen]
        evaluate(commands.database, f"some of {corpus}", corpus, places, rows, window)
    elsewhere = _rows(random, [window] * 1_001, 300, planted[:0])
    evaluate(commands.database, "elsewhere", "lying", [(1_000, 0)], elsewhere, window)
    with store.writing(commands.database) as connection:  # rows of features have a model
        connection.execute(
            "insert into raw.dataset_scores select distinct dataset, 1, 'm', 'main' from raw.dataset_members"
        )
        connection.execute("update raw.dataset_members set scores = [sequence_id % 3 / 2]")


def _rows(random: np.random.Generator, lengths: Sequence[int], high: int, planted: np.ndarray) -> list[list[int]]:
    """Sequences of random tokens; where there is room, most hold `planted` somewhere, and some are copies of another."""
    rows = [random.integers(0, high, length) for length in lengths]
    for row in rows:
        if len(planted) and len(row) >= len(planted) and random.random() < 0.6:
            begin = int(random.integers(0, len(row) - len(planted) + 1))
            row[begin : begin + len(planted)] = planted
    for number in random.integers(0, len(rows), len(rows) // 5):
        rows[number] = rows[0] if len(rows[number]) == len(rows[0]) else rows[number]
    return [row.tolist() for row in rows]


def _ingest(commands: Commands, corpus: str, *arguments: object) -> None:
    commands.memtax("ingest", "corpus", corpus, *arguments)


def _column(tables: Tables, name: str) -> list[int]:
    columns, rows = tables["feat_sequence__duplicates"]
    place = [column for column, _ in columns].index(name)
    return [row[place] for row in rows]
