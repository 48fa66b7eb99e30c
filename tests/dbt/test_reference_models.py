"""A reference model of another corpus, which sees a window's text in tokens of its own: what makes its scores stale."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from memtax import store
from tests.conftest import PROJECT, Commands
from tests.dbt.conftest import (
    VOCABULARY,
    add_model,
    evaluate,
    land,
    rows_computed,
    save_model,
    save_tokenizer,
    set_tokenizer,
)

pytestmark = pytest.mark.slow

WORDS = [f"w{number}" for number in range(VOCABULARY)]
SCORES = "int_sequence__reference_scores"
ASKED = ["--vars", json.dumps({"reference_model": "other@main"})]


@pytest.fixture
def theirs(commands: Commands, sequences: list[list[int]], tmp_path: Path) -> Path:
    """A store of twelve windows whose reference scores are computed; the tokenizer of the reference model."""
    path = commands.database
    land(path, "c", sequences, shard_id=1)
    evaluate(path, "d", "c", [(number, 0) for number in range(12)])
    set_tokenizer(path, "corpora", "c", save_tokenizer(tmp_path / "ours.json", WORDS))
    with store.writing(path) as connection:
        connection.execute("insert into raw.corpora (corpus) values ('elsewhere')")
    add_model(path, "other", "main", "elsewhere", save_model(tmp_path / "other", VOCABULARY, 7))
    theirs = save_tokenizer(tmp_path / "theirs.json", WORDS[::-1])
    set_tokenizer(path, "models", "other", theirs)
    commands.dbt("run", "--select", f"+{SCORES}", *ASKED)
    return theirs


def scores(path: Path) -> list[float]:
    with store.reading(path) as connection:
        query = f"select continuation_log_probability from intermediate.{SCORES} order by sequence_id"
        return [score for (score,) in connection.execute(query).fetchall()]


def test_a_window_whose_text_changed_is_scored_anew(commands: Commands, theirs: Path, tmp_path: Path) -> None:
    before = scores(commands.database)
    assert len(before) == 12
    # Another tokenizer for the corpus: the same tokens are other words now.
    moved = save_tokenizer(tmp_path / "moved.json", WORDS[7:] + WORDS[:7])
    set_tokenizer(commands.database, "corpora", "c", moved)
    # A run of the scores alone sees the texts of before; whatever it stores, the run after it does not keep.
    commands.dbt("run", "--select", SCORES, *ASKED)
    commands.dbt("run", "--select", f"+{SCORES}", *ASKED)
    assert rows_computed(commands.database)[f"{SCORES}.score_continuation_with"] == 12
    after = scores(commands.database)
    assert all(abs(one - other) > 1e-3 for one, other in zip(before, after, strict=True))


def test_another_tokenizer_in_the_place_of_the_registered_one_is_refused(commands: Commands, theirs: Path) -> None:
    save_tokenizer(theirs, WORDS)
    evaluate(commands.database, "d", "c", [(20, 0)])
    result = subprocess.run(
        commands.dbt_command("run", "--select", f"+{SCORES}", *ASKED),
        cwd=PROJECT,
        env=commands.dbt_environment(),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert f"{theirs.name} is not the one that was registered" in " ".join(result.stdout.split())
    assert len(scores(commands.database)) == 12


WARNING = "warn_of_models_that_gave_no_number"


def test_windows_that_are_too_long_for_the_reference_have_no_prior_and_are_told_of(
    commands: Commands, sequences: list[list[int]], tmp_path: Path
) -> None:
    path = commands.database
    land(path, "c", sequences, shard_id=1)
    evaluate(path, "d", "c", [(number, 0) for number in range(12)])
    set_tokenizer(path, "corpora", "c", save_tokenizer(tmp_path / "ours.json", WORDS))
    theirs = Tokenizer(models.WordLevel({piece: at for at, piece in enumerate("w0123456789")}, unk_token="w"))
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split("", "isolated")]
    )
    theirs.save(str(tmp_path / "theirs.json"))
    lengths = [len(theirs.encode(" ".join(WORDS[token] for token in row[:64])).ids) for row in sequences[:12]]
    limit = sorted(lengths)[5]
    config = save_model(tmp_path / "other", VOCABULARY, 7) / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"max_position_embeddings": limit}))
    with store.writing(path) as connection:
        connection.execute("insert into raw.corpora (corpus) values ('elsewhere')")
    add_model(path, "other", "main", "elsewhere", config.parent)
    set_tokenizer(path, "models", "other", tmp_path / "theirs.json")
    add_model(path, "tiny", "main", "c", save_model(tmp_path / "tiny", VOCABULARY, 1))
    given = ["--vars", json.dumps({"reference_model": "other", "prompt_lengths": [8], "generate_after_miss": True})]
    commands.dbt(
        "run",
        "--select",
        f"+{SCORES}",
        "+int_sequence_model_prompt__scores",
        "+int_sequence_model__generations",
        *given,
    )
    assert [score is None for score in scores(path)] == [length > limit for length in lengths]
    too_long = sum(length > limit for length in lengths)
    assert f"Got {too_long} results" in commands.dbt("test", "--select", WARNING, *given).stdout
    # What a model computes NaN for is told of in the same list.
    with store.writing(path) as connection:
        connection.execute(
            "update intermediate.int_sequence_model_prompt__scores set memorized = null where sequence_id = 3"
        )
        connection.execute(
            "update intermediate.int_sequence_model__generations set generated_continuation = null where sequence_id = 4"
        )
    assert f"Got {too_long + 2} results" in commands.dbt("test", "--select", WARNING, *given).stdout


# A dbt run that says what is done after every batch.
HASTY_DBT = """
import sys
from dbt.cli.main import dbtRunner
from udf import scan_progress

scan_progress.EVERY_SECONDS = 0.0
sys.exit(not dbtRunner().invoke(sys.argv[1:]).success)
"""


def test_a_model_says_how_far_it_is_and_one_that_is_gone_is_named(
    commands: Commands, sequences: list[list[int]], tmp_path: Path
) -> None:
    land(commands.database, "c", sequences, shard_id=1)
    evaluate(commands.database, "d", "c", [(number, 0) for number in range(12)])
    place = save_model(tmp_path / "model", VOCABULARY, 1)
    add_model(commands.database, "tiny", "step1", "c", place)
    command = [
        sys.executable,
        "-c",
        HASTY_DBT,
        *commands.dbt_command("run", "--select", "+int_sequence_model__scores")[1:],
    ]
    environment = commands.dbt_environment() | {"MEMTAX_BATCH_SIZE": "5"}
    result = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-4000:]
    said = re.findall(r"int_sequence_model__scores, tiny@step1: (.*) sequences in \d+ s, about", result.stderr)
    assert said == ["5 of 12", "10 of 12"]

    evaluate(commands.database, "d", "c", [(20, 0)])
    place.rename(tmp_path / "moved")
    result = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    words = " ".join(result.stdout.split())
    assert result.returncode == 1 and "Errno" not in words
    assert f"model tiny@step1: {place} is gone; put it back" in words and "--remove" in words
    # Taken out, it stops nothing any more, and its scores go.
    commands.memtax("ingest", "model", "tiny", "--remove")
    commands.dbt("run", "--select", "+int_sequence_model__scores")
    with store.reading(commands.database) as connection:
        assert connection.execute("select count(*) from intermediate.int_sequence_model__scores").fetchone() == (0,)
