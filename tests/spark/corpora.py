"""Random corpora of many shapes, with evaluated sequences of each: in any length of window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memtax import store
from tests.conftest import Commands
from tests.corpus.helpers import write_bin, write_mmap
from tests.dbt.conftest import evaluate

Rows = list[list[int]]


def fill(commands: Commands, random: np.random.Generator, window: int) -> None:
    """Four corpora: equal lengths in three shards, wide ids, sequences of all lengths in place, and one file in place.

    Args:
        commands: of the store.
        random: where all of it comes from.
        window: tokens of an evaluated sequence.
    """
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
    for corpus, rows in (("square", square), ("wide", wide), ("ragged", ragged)):
        _evaluate_some(commands, random, corpus, rows, window)
    fill_one(commands, random, window)


def fill_one(commands: Commands, random: np.random.Generator, window: int, *arguments: object) -> None:
    """The last of those corpora, `lying`, with ids below 200: one file, in place; and a window that is not of it.

    Args:
        commands: of the store.
        random: where all of it comes from.
        window: tokens of an evaluated sequence.
        arguments: more for `memtax ingest corpus`.
    """
    rows = _rows(random, [2 * window] * 33, 10, random.integers(0, 50, window))
    rows[5] = [7] * len(rows[5])  # occurs at every place of itself
    path = commands.database.with_name("lying.npy")
    np.save(path, np.array(rows, np.uint16))
    _ingest(commands, "lying", path, "--in-place", *arguments)
    _evaluate_some(commands, random, "lying", rows, window)
    elsewhere = random.integers(0, 200, window).tolist()
    evaluate(commands.database, "elsewhere", "lying", [(1_000, 0)], {1_000: elsewhere}, window)


def land_scores(commands: Commands) -> None:
    """Give every member of a dataset a score of a model that is not there: `features` has rows of models alone."""
    with store.writing(commands.database) as connection:
        connection.execute(
            "insert into raw.dataset_scores select distinct dataset, 1, 'm', 'main' from raw.dataset_members"
        )
        connection.execute("update raw.dataset_members set scores = [sequence_id % 3 / 2]")


def _evaluate_some(commands: Commands, random: np.random.Generator, corpus: str, rows: Rows, window: int) -> None:
    """A dataset of windows of some sequences of a corpus, anywhere in them."""
    long_enough = [number for number, row in enumerate(rows) if len(row) >= window]
    chosen = random.choice(long_enough, min(12, len(long_enough)), replace=False)
    places = [(int(number), int(random.integers(0, len(rows[number]) - window + 1))) for number in chosen]
    evaluate(commands.database, f"some of {corpus}", corpus, places, rows, window)


def _rows(random: np.random.Generator, lengths: Sequence[int], high: int, planted: np.ndarray) -> Rows:
    """Sequences of random tokens; where there is room, most hold `planted` somewhere, and some are copies of another."""
    rows = [random.integers(0, high, length) for length in lengths]
    for row in rows:
        if len(row) >= len(planted) and random.random() < 0.6:
            begin = int(random.integers(0, len(row) - len(planted) + 1))
            row[begin : begin + len(planted)] = planted
    for number in random.integers(0, len(rows), len(rows) // 5):
        rows[number] = rows[0] if len(rows[number]) == len(rows[0]) else rows[number]
    return [row.tolist() for row in rows]


def _ingest(commands: Commands, corpus: str, *arguments: object) -> None:
    commands.memtax("ingest", "corpus", corpus, *arguments)
