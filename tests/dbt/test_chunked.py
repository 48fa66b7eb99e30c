"""The chunked materialization: a kill loses a chunk, nothing is computed twice, and a changed var computes again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memtax import store
from tests.conftest import PROJECT, Commands
from tests.dbt.conftest import VOCABULARY, add_model, contents, evaluate, land, rows_computed
from tests.udf import tiny_models

SCORES = "int_sequence_model__scores"


def fill(path: Path, sequences: list[list[int]], model: Path) -> None:
    land(path, "c", sequences, shard_id=1)
    evaluate(path, "d", "c", [(number, 0) for number in range(100)])
    add_model(path, "tiny", "step1", "c", model)


@pytest.fixture
def store_path(commands: Commands, sequences: list[list[int]], tiny_model: Path) -> Path:
    """A store in which nothing was built."""
    fill(commands.database, sequences, tiny_model)
    return commands.database


@pytest.fixture(scope="module")
def whole_store(
    tmp_path_factory: pytest.TempPathFactory,
    make_commands: Callable[[Path], Commands],
    sequences: list[list[int]],
    tiny_model: Path,
) -> Path:
    """A store after `dbt run`, built once for this file; tests copy it."""
    commands = make_commands(tmp_path_factory.mktemp("built") / "memtax.duckdb")
    fill(commands.database, sequences, tiny_model)
    commands.dbt("run")
    return commands.database


@pytest.fixture
def built_path(commands: Commands, whole_store: Path) -> Path:
    """A store of the test's own after `dbt run`."""
    shutil.copy(whole_store, commands.database)
    return commands.database


def stored_scores(path: Path) -> int:
    rows = contents(path, "intermediate").get(SCORES, [])
    return len(rows)


@pytest.mark.slow
def test_a_second_build_computes_nothing_again(commands: Commands, built_path: Path) -> None:
    first = rows_computed(built_path)
    assert first[f"{SCORES}.score_continuation_with"] == 100
    # One pass, for spans of 32 tokens, of 64, and the frequencies of all tokens.
    assert first["int_shard_window__counts.count_windows_and_tokens_uint16"] == 120
    before = contents(built_path)
    commands.dbt("build")
    assert set(rows_computed(built_path).values()) == {0}
    assert contents(built_path) == before


@pytest.mark.slow
def test_only_what_is_new_is_computed(
    commands: Commands, built_path: Path, sequences: list[list[int]], tiny_model: Path
) -> None:
    evaluate(built_path, "more", "c", [(number, 16) for number in range(5)])
    commands.dbt("run")
    new_windows = rows_computed(built_path)
    assert new_windows[f"{SCORES}.score_continuation_with"] == 5
    assert new_windows["int_sequence__templating.templating"] == 5
    assert new_windows["int_shard_window__counts.find_window"] == 3 * 5  # continuation, prompt, window

    add_model(built_path, "tiny", "step2", "c", tiny_model)
    commands.dbt("run")
    new_model = rows_computed(built_path)
    assert new_model[f"{SCORES}.score_continuation_with"] == 105
    assert new_model["int_sequence__text.detokenize"] == 0

    land(built_path, "c", sequences[40:60], shard_id=2, first=len(sequences))
    commands.dbt("run")
    new_shard = rows_computed(built_path)
    assert new_shard["int_shard_window__counts.count_windows_and_tokens_uint16"] == 20
    assert new_shard[f"{SCORES}.score_continuation_with"] == 0
    duplicates = {row[1:3]: row[3] for row in contents(built_path)["feat_sequence__duplicates"]}
    assert duplicates[0, 0] == 21  # itself, ten copies in the first shard, ten in the second
    assert duplicates[40, 0] == 21
    assert duplicates[55, 0] == 2


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_stopped(commands: Commands, store_path: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole" / "memtax.duckdb"
    whole.parent.mkdir()
    shutil.copy(store_path, whole)
    chunks = ["--vars", json.dumps({"chunk_rows": 10})]
    Commands(whole, commands.target).dbt("run", *chunks)

    process = subprocess.Popen(
        commands.dbt_command("run", *chunks),
        cwd=PROJECT,
        env=commands.dbt_environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    # The first chunk of scores is reported as soon as it is committed; 9 more are to come.
    seen = next((line for line in process.stdout if f"{SCORES}: 10 of 100 rows" in line), None)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert seen is not None, "dbt reported no first chunk"
    kept = stored_scores(store_path)
    assert 10 <= kept < 100

    commands.dbt("run", *chunks)
    assert rows_computed(store_path)[f"{SCORES}.score_continuation_with"] == 100 - kept
    assert contents(store_path) == contents(whole)


@pytest.mark.slow
def test_a_score_is_kept_until_the_one_that_replaces_it_is_there(
    commands: Commands, store_path: Path, tiny_model: Path, tmp_path: Path
) -> None:
    """Attention is asked for later, beside a model that was damaged and one that has none to show."""
    damaged = tmp_path / "model"
    shutil.copytree(tiny_model, damaged)
    add_model(store_path, "damaged", "main", "c", damaged)
    add_model(store_path, "mamba", "main", "c", tiny_models.save(tmp_path / "mamba", "mamba", vocab_size=VOCABULARY))
    run = ["run", "--select", "+feat_sequence_model__attention", "--vars"]
    commands.dbt(*run, "{}")
    config = damaged / "config.json"
    whole = config.read_bytes()
    config.write_bytes(whole + b" ")
    asked = json.dumps({"attention": True, "chunk_rows": 60})
    failed = subprocess.run(
        commands.dbt_command(*run, asked), cwd=PROJECT, env=commands.dbt_environment(), capture_output=True, text=True
    )
    assert failed.returncode == 1 and "is not the one that was registered" in failed.stdout
    counted = (
        f"select model, count(*), count(loss), count(entropy_heads) from intermediate.{SCORES} group by all order by 1"
    )
    with store.reading(store_path) as connection:
        kept = connection.execute(counted).fetchall()
    assert [row[:3] for row in kept] == [(name, 100, 100) for name in ("damaged", "mamba", "tiny")]
    assert kept[0][3] == 0

    config.write_bytes(whole)
    commands.dbt(*run, asked)
    replaced = sum(row[3] for row in kept)
    assert rows_computed(store_path)[f"{SCORES}.score_continuation_with"] == 300 - replaced
    with store.reading(store_path) as connection:
        assert connection.execute(counted).fetchall() == [(row[0], 100, 100, 100) for row in kept]
        shown = connection.execute("select model, count(*) from feat_sequence_model__attention group by all order by 1")
        assert shown.fetchall() == [("damaged", 100), ("tiny", 100)]
    commands.dbt(*run, asked)
    assert rows_computed(store_path)[f"{SCORES}.score_continuation_with"] == 0


@pytest.mark.slow
def test_other_tokens_under_the_same_key_are_computed_again(commands: Commands, built_path: Path) -> None:
    with store.writing(built_path) as connection:
        connection.execute("update raw.evaluated_sequences set tokens = list_reverse(tokens) where sequence_id = 3")
    commands.dbt("run")
    again = rows_computed(built_path)
    assert again[f"{SCORES}.score_continuation_with"] == 1
    assert again["int_sequence__text.detokenize"] == 3  # window, prompt and continuation
    assert again["int_shard_window__counts.find_window"] == 3
    assert again["int_sequence__token_frequency.token_frequency_statistics"] == 1
    assert stored_scores(built_path) == 100


def test_a_model_that_is_not_the_registered_one_is_refused(
    commands: Commands, store_path: Path, tiny_model: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(tiny_model, copy)
    add_model(store_path, "copied", "main", "c", copy)
    (copy / "config.json").write_text((copy / "config.json").read_text(encoding="utf-8") + " ", encoding="utf-8")
    result = subprocess.run(
        commands.dbt_command("run"), cwd=PROJECT, env=commands.dbt_environment(), capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "is not the one that was registered" in result.stdout
    assert {row[4] for row in contents(store_path, "intermediate")[SCORES]} <= {"tiny"}


def test_a_locked_store_says_who_holds_it(commands: Commands, store_path: Path) -> None:
    code = f"import duckdb; c = duckdb.connect({str(store_path)!r}); print('open', flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    try:
        assert holder.stdout.readline() == "open\n"
        result = subprocess.run(
            commands.dbt_command("run"), cwd=PROJECT, env=commands.dbt_environment(), capture_output=True, text=True
        )
    finally:
        holder.communicate("\n")
    assert result.returncode != 0
    assert f"(process {holder.pid})" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.slow
def test_a_changed_var_computes_again_and_leaves_nothing_old(commands: Commands, built_path: Path) -> None:
    shorter = ["--vars", json.dumps({"continuation_length": 16})]
    commands.dbt("run", *shorter)
    assert rows_computed(built_path)[f"{SCORES}.score_continuation_with"] == 100
    assert rows_computed(built_path)["int_shard_window__counts.find_window"] == 300
    fingerprints = {row[-1] for row in contents(built_path, "intermediate")[SCORES]}
    assert len(fingerprints) == 1
    assert stored_scores(built_path) == 100
    assert max(row[5] for row in contents(built_path)["fct_memorization"]) <= 16
