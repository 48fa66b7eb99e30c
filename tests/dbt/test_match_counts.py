"""Embeddings and match counts as dbt builds them: resumed after a kill, held to brute force, counted anew when they must be."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from memtax import store
from tests.conftest import PROJECT, Commands
from tests.corpus.helpers import word_tokenizer
from tests.dbt.conftest import VOCABULARY, contents, evaluate, land, rows_computed
from tests.udf import tiny_embedders

pytestmark = pytest.mark.slow

EMBEDDED, COUNTED = "int_sequence__embedding.embed_with", "int_sequence__similarity.count_similar"
# Random weights find all texts alike: these lie in the middle of what they give.
THRESHOLDS = [0.999, 0.9995]
ONLY = ["--select", "+feat_sequence__similarity"]
MakeCommands = Callable[[Path], Commands]


class Resumed(NamedTuple):
    """A store whose first run was killed and whose second went on: what the kill left, and who embeds its texts."""

    path: Path
    kept: int
    embedder: Path

    def copy(self, folder: Path, make_commands: MakeCommands) -> Commands:
        """The commands on a copy of the store."""
        shutil.copy(self.path, folder / "memtax.duckdb")
        return make_commands(folder / "memtax.duckdb")


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory, make_commands: MakeCommands) -> Resumed:
    folder = tmp_path_factory.mktemp("resumed")
    embedder = tiny_embedders.save(folder / "model")
    commands = make_commands(folder / "memtax.duckdb")
    fill(commands.database, folder)
    chunks = [*ONLY, *settings(embedder, chunk_rows=10)]
    process = subprocess.Popen(
        commands.dbt_command("run", *chunks),
        cwd=PROJECT,
        env=commands.dbt_environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    # The first chunk is reported as soon as it is committed; 9 more are to come.
    seen = next((line for line in process.stdout if "int_sequence__embedding: 10 of 100 rows" in line), None)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert seen is not None, "dbt reported no first chunk"
    kept = len(contents(commands.database, "intermediate")["int_sequence__embedding"])
    commands.dbt("run", *chunks)
    return Resumed(commands.database, kept, embedder)


def fill(path: Path, folder: Path) -> None:
    """Two datasets that overlap, of sequences with ten copies of number 0 and one that is nearly it."""
    rows = np.random.default_rng(7).integers(0, VOCABULARY, (120, 96))
    rows[40:50] = rows[0]
    rows[41, 5] = 7
    land(path, "c", rows.tolist(), shard_id=1)
    evaluate(path, "memories", "c", [(number, 0) for number in range(60)])
    evaluate(path, "sample", "c", [(number, 0) for number in range(60, 100)])
    tokenizer = word_tokenizer(folder / "tokenizer.json", VOCABULARY)
    with store.writing(path) as connection:
        connection.execute(
            "insert into raw.dataset_members select 'sample', 'c', i, 0, null from range(30, 45) as numbers(i)"
        )
        connection.execute(
            "update raw.corpora set tokenizer = ?, tokenizer_checksum = ?",
            [str(tokenizer), sha256(tokenizer.read_bytes()).hexdigest()],
        )


def settings(embedder: Path | str, **more: object) -> list[str]:
    return ["--vars", json.dumps({"embed_with": str(embedder), "similarity_thresholds": THRESHOLDS} | more)]


def brute_force(path: Path, dataset: str | None) -> dict[int, list[int]]:
    """The four counts of each sequence, from the stored vectors and texts."""
    with store.reading(path) as connection:
        rows = connection.execute(
            "select sequence_id, embedding, prompt_text from intermediate.int_sequence__embedding "
            "inner join intermediate.int_sequence__text using (corpus, sequence_id, token_offset) order by 1"
        ).fetchall()
        members = {
            number
            for (number,) in connection.execute(
                "select sequence_id from raw.dataset_members where dataset = ? or ? is null", [dataset, dataset]
            ).fetchall()
        }
    vectors = np.array([row[1] for row in rows], dtype=np.float32).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    cosine = vectors @ vectors.T / np.outer(lengths, lengths)
    expected = {}
    for i, (number, _, prompt) in enumerate(rows):
        others = [j for j, (other, _, _) in enumerate(rows) if other != number and other in members]
        near = {j for j in others if 0 < Levenshtein.distance(prompt, rows[j][2]) < 20}
        alike = [{j for j in others if cosine[i, j] >= threshold} for threshold in THRESHOLDS]
        expected[number] = [len(some) for some in alike] + [len(some & near) for some in alike]
    return expected


def counts(path: Path) -> dict[int, list[int | None]]:
    return {row[1]: list(row[3:7]) for row in contents(path)["feat_sequence__similarity"]}


def test_a_killed_run_embeds_nothing_twice(resumed: Resumed) -> None:
    assert 10 <= resumed.kept < 100
    assert rows_computed(resumed.path)[EMBEDDED] == 100 - resumed.kept
    assert rows_computed(resumed.path)[COUNTED] == 100


def test_counts_equal_brute_force(resumed: Resumed) -> None:
    found = counts(resumed.path)
    assert found == brute_force(resumed.path, None)
    assert len({row[0] for row in found.values()}) > 3
    assert any(row[1] < row[0] for row in found.values())
    assert found[41][2] >= 10  # number 0 and its copies, which are nearly number 41


def test_counts_follow_the_reference_set_and_outlive_a_slip_in_its_name(
    resumed: Resumed, tmp_path: Path, make_commands: MakeCommands
) -> None:
    commands = resumed.copy(tmp_path, make_commands)
    commands.dbt("run", *ONLY, *settings(resumed.embedder, similarity_reference="sample"))
    of_sample = counts(commands.database)
    assert of_sample == brute_force(commands.database, "sample") != counts(resumed.path)
    assert (rows_computed(commands.database)[EMBEDDED], rows_computed(commands.database)[COUNTED]) == (0, 100)

    result = subprocess.run(
        commands.dbt_command("run", *ONLY, *settings(resumed.embedder, similarity_reference=["sampel"])),
        cwd=PROJECT,
        env=commands.dbt_environment(),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "names the dataset sampel, which is not in the store; expected some of memories, sample" in result.stdout
    assert counts(commands.database) == of_sample


def test_without_a_model_counts_are_null(resumed: Resumed, tmp_path: Path, make_commands: MakeCommands) -> None:
    commands = resumed.copy(tmp_path, make_commands)
    commands.dbt("run", *ONLY, *settings(""))
    found = counts(commands.database)
    assert len(found) == 100
    assert {str(row) for row in found.values()} == {"[None, None, None, None]"}
