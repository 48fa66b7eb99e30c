"""A reference model of another corpus, which sees a window's text in tokens of its own: what makes its scores stale."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

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
