"""`memtax similar`, and the neighbours of `memtax explain`, on the demo."""

from __future__ import annotations

import json

from click.testing import CliRunner

from memtax.cli import main
from tests.conftest import Commands


def test_the_nearest_of_a_sequences_own_text_is_the_sequence(demo: Commands) -> None:
    row = json.loads(
        demo.memtax(
            "query",
            "select corpus, sequence_id, token_offset, text from feat_sequence__text order by sequence_id limit 1",
            "--format",
            "json",
        ).stdout
    )[0]
    dataset = f"{row['corpus']}_sample"
    found = json.loads(
        demo.memtax("similar", row["text"], "--limit", 3, "--dataset", dataset, "--format", "json").stdout
    )
    assert len(found) == 3
    assert found[0]["cosine"] > 0.999
    assert found[0]["prompt"] + found[0]["continuation"] == row["text"]
    output = demo.memtax("explain", row["corpus"], row["sequence_id"]).stdout
    assert "semantic_matches_0_8" in output
    assert "Nearest in meaning" in output


def test_a_dataset_that_is_not_there_is_named(demo: Commands) -> None:
    result = demo.memtax("similar", "a text", "--dataset", "nowhere", check=False)
    assert result.returncode == 1
    assert "no dataset 'nowhere'; it has demo_sample" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_text_without_words_is_refused() -> None:
    result = CliRunner().invoke(main, ["similar", " "])
    assert result.exit_code == 2
    assert "TEXT is empty" in result.output
