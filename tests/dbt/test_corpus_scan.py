"""The scan of a shard inside a dbt run: one pass for windows and token frequencies, progress, Ctrl-C, and threads."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from memtax import store
from tests.conftest import PROJECT, Commands, interrupt
from tests.dbt.conftest import WINDOW, contents, evaluate, land, rows_computed

COUNTS = "int_shard_window__counts"
LARGE_TOKENS = 6 << 30


@pytest.fixture
def large(commands: Commands, sequences: list[list[int]], tmp_path: Path) -> Commands:
    """A small landed corpus, and one of billions of tokens that take no room: a file with holes."""
    land(commands.database, "small", sequences, shard_id=1)
    evaluate(commands.database, "d", "small", [(number, 0) for number in range(20)])
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(2 * LARGE_TOKENS)
    commands.memtax("ingest", "corpus", "large", path, "--sequence-length", 2048, "--in-place")
    random = np.random.default_rng(2)
    with store.writing(commands.database) as connection:
        connection.execute("insert into raw.evaluated_sequences values ('large', 0, 0, ?)", [[0] * WINDOW])
        for number in range(1, 50):
            tokens = random.integers(1, 1_000, WINDOW).tolist()
            connection.execute("insert into raw.evaluated_sequences values ('large', ?, 0, ?)", [number, tokens])
    return commands


def test_a_scan_says_how_far_it_is_and_ctrl_c_leaves_nothing_half_done(large: Commands) -> None:
    process = subprocess.Popen(
        large.dbt_command("run", "--select", f"+{COUNTS}"),
        cwd=PROJECT,
        env=large.dbt_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    progress = rf"{COUNTS}, shard 2: [\d,]+ of {LARGE_TOKENS // 2048:,} sequences in \d+ s, about \d+ s left"
    # The scan of the large shard takes many times as long as it takes to say this.
    assert next((line for line in process.stderr if re.fullmatch(progress, line.strip())), None) is not None
    interrupt(process)
    # It takes about a second; the limit is well below what the scan takes where nothing stops it, also on a busy machine.
    process.communicate(timeout=40)
    assert process.returncode != 0
    rows = contents(large.database, "intermediate").get(COUNTS, [])
    assert not any(row[0] == "large" for row in rows)
    assert not list(large.database.parent.glob("*.scratch"))
    # The store is as usable as it was: the small corpus alone is counted by what the next run does.
    with store.writing(large.database) as connection:
        connection.execute("delete from raw.corpus_shards where corpus = 'large'")
    large.dbt("run", "--select", f"+{COUNTS}")
    assert len(contents(large.database, "intermediate")[COUNTS]) == 3 * 20 + 1  # spans, and the tokens of the shard


def test_the_var_sets_the_threads(commands: Commands, sequences: list[list[int]]) -> None:
    land(commands.database, "c", sequences, shard_id=1)
    evaluate(commands.database, "d", "c", [(number, 0) for number in range(20)])
    select = ["--select", f"+{COUNTS}"]
    commands.dbt("run", *select)
    expected = contents(commands.database, "intermediate")[COUNTS]
    commands.dbt("run", *select, "--full-refresh", "--vars", json.dumps({"threads": 1}))
    assert contents(commands.database, "intermediate")[COUNTS] == expected
    command = commands.dbt_command("run", *select, "--vars", json.dumps({"threads": -1}))
    result = subprocess.run(command, cwd=PROJECT, env=commands.dbt_environment(), capture_output=True, text=True)
    assert result.returncode != 0
    assert "the var threads is -1; expected a whole number" in result.stdout


def test_frequencies_come_from_the_pass_that_counts_windows_and_from_no_later_one(
    commands: Commands, sequences: list[list[int]]
) -> None:
    select = ["--select", "+feat_sequence__duplicates", "+token_frequencies"]
    pass_over_tokens = f"{COUNTS}.count_windows_and_tokens"
    wide = [[token + 2**16 for token in row] for row in sequences[:30]]
    land(commands.database, "c", sequences, shard_id=1)
    land(commands.database, "wide", wide, shard_id=2)  # a corpus of which nothing is evaluated
    evaluate(commands.database, "d", "c", [(number, 0) for number in range(20)])
    commands.dbt("run", *select)
    computed = rows_computed(commands.database)
    assert (computed[f"{pass_over_tokens}_uint16"], computed[pass_over_tokens]) == (120, 30)
    marts = contents(commands.database)
    assert _frequencies(marts, "c") == Counter(token for row in sequences for token in row)
    assert _frequencies(marts, "wide") == Counter(token for row in wide for token in row)
    assert len(marts["feat_sequence__duplicates"]) == 20

    # A mark on what is stored shows whether it is made again.
    with store.writing(commands.database) as connection:
        connection.execute(
            f"update intermediate.{COUNTS} set frequencies = [{{'token_id': 7, 'frequency': 42}}] "
            "where span = 'tokens' and corpus = 'c'"
        )
    evaluate(commands.database, "more", "c", [(number, 16) for number in range(20, 25)])
    commands.dbt("run", *select, "--vars", json.dumps({"duplicate_occurrences": 3}))
    computed = rows_computed(commands.database)
    assert (computed[f"{pass_over_tokens}_uint16"], computed[pass_over_tokens]) == (120, 0)
    marts = contents(commands.database)
    assert _frequencies(marts, "c") == {7: 42}
    assert len(marts["feat_sequence__duplicates"]) == 25

    land(commands.database, "c", sequences[:10], shard_id=3, first=len(sequences))
    commands.dbt("run", *select)
    assert _frequencies(contents(commands.database), "c") == Counter(
        [7] * 42 + [token for row in sequences[:10] for token in row]
    )


def _frequencies(marts: dict[str, list[tuple]], corpus: str) -> dict[int, int]:
    return {row[1]: row[2] for row in marts["token_frequencies"] if row[0] == corpus}


def test_what_was_computed_before_a_shard_was_counted_is_computed_again(
    commands: Commands, sequences: list[list[int]]
) -> None:
    """As by `dbt run --select int_sequence__token_frequency` after `memtax ingest corpus --append`."""
    frequency = "int_sequence__token_frequency"
    land(commands.database, "c", sequences[:60], shard_id=1)
    evaluate(commands.database, "d", "c", [(number, 0) for number in range(5)])
    commands.dbt("run", "--select", f"+{frequency}")
    land(commands.database, "c", sequences[60:], shard_id=2, first=60)
    commands.dbt("run", "--select", frequency)
    commands.dbt("run", "--select", f"+{frequency}")
    counted = Counter(token for row in sequences for token in row)
    with store.reading(commands.database) as connection:
        stored = connection.execute(
            f"select sequence_id, statistics.frequencies from intermediate.{frequency} order by sequence_id"
        ).fetchall()
    assert stored == [(number, [counted[token] for token in sequences[number][:WINDOW]]) for number in range(5)]


def test_a_store_may_lie_in_a_folder_of_any_name(sequences: list[list[int]], tmp_path: Path) -> None:
    """Paths of files go into SQL as texts: a quote in one ends no text."""
    commands = Commands(tmp_path / "memtax.duckdb", tmp_path / "it's")
    commands.target.mkdir()
    assert "it's" in commands.dbt_environment()["MEMTAX_DATABASE"]
    land(commands.database, "c", sequences, shard_id=1)
    evaluate(commands.database, "d", "c", [(number, 0) for number in range(20)])
    commands.dbt("run", "--select", f"+{COUNTS}", "+int_sequence__token_frequency", "+int_sequence__similarity")
    tables = contents(commands.database, "intermediate")
    assert len(tables[COUNTS]) == 3 * 20 + 1
    assert len(tables["int_sequence__token_frequency"]) == len(tables["int_sequence__similarity"]) == 20
