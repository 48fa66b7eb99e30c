"""Embeddings and match counts as dbt builds them: resumed after a kill, held to brute force, counted anew when they must be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from memtax import store
from tests.conftest import PROJECT, Commands
from tests.corpus.helpers import word_tokenizer
from tests.dbt.conftest import VOCABULARY, contents, evaluate, land, rows_computed
from tests.udf import tiny_embedders

EMBEDDED, COUNTED = "int_sequence__embedding.embed_with", "int_sequence__similarity.count_similar"
# Random weights find all texts alike: these lie in the middle of what they give.
THRESHOLDS = [0.999, 0.9995]
ONLY = ["--select", "+feat_sequence__similarity"]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_embedders.save(tmp_path_factory.mktemp("embedder") / "model")


@pytest.fixture
def store_path(commands: Commands, sequences: list[list[int]], tmp_path: Path) -> Path:
    path = commands.database
    # Number 41 is nearly number 0: another token in its prompt.
    sequences[41] = [*sequences[41][:5], 7, *sequences[41][6:]]
    land(path, "c", sequences, shard_id=1)
    evaluate(path, "memories", "c", [(number, 0) for number in range(60)])
    evaluate(path, "sample", "c", [(number, 0) for number in range(60, 100)])
    tokenizer = word_tokenizer(tmp_path / "tokenizer.json", VOCABULARY)
    with store.writing(path) as connection:
        connection.execute(
            "insert into raw.dataset_members select 'sample', 'c', i, 0 from range(30, 45) as numbers(i)"
        )
        connection.execute(
            "update raw.corpora set tokenizer = ?, tokenizer_checksum = ?",
            [str(tokenizer), sha256(tokenizer.read_bytes()).hexdigest()],
        )
    return path


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
    return {row[1]: list(row[3:]) for row in contents(path)["feat_sequence__similarity"]}


def test_counts_equal_brute_force_and_follow_the_reference_set(
    commands: Commands, store_path: Path, embedder: Path
) -> None:
    commands.dbt("run", *ONLY, *settings(embedder))
    everything = counts(store_path)
    assert everything == brute_force(store_path, None)
    assert len({row[0] for row in everything.values()}) > 3
    assert any(row[1] < row[0] for row in everything.values())
    assert everything[41][2] >= 10  # the copies of number 0, which are nearly number 41
    assert (rows_computed(store_path)[EMBEDDED], rows_computed(store_path)[COUNTED]) == (100, 100)

    sample = settings(embedder, similarity_reference="sample")
    commands.dbt("run", *ONLY, *sample)
    assert counts(store_path) == brute_force(store_path, "sample") != everything
    assert (rows_computed(store_path)[EMBEDDED], rows_computed(store_path)[COUNTED]) == (0, 100)
    commands.dbt("run", *ONLY, *sample)
    assert (rows_computed(store_path)[EMBEDDED], rows_computed(store_path)[COUNTED]) == (0, 0)


def test_without_a_model_counts_are_null_and_an_unknown_dataset_is_named(
    commands: Commands, store_path: Path, embedder: Path
) -> None:
    commands.dbt("run", *ONLY, *settings(""))
    assert {str(row) for row in counts(store_path).values()} == {"[None, None, None, None]"}
    result = subprocess.run(
        commands.dbt_command("run", *ONLY, *settings(embedder, similarity_reference=["sampel"])),
        cwd=PROJECT,
        env=commands.environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "names the dataset sampel, which is not in the store; expected some of memories, sample" in result.stdout


def test_a_killed_run_embeds_nothing_twice(commands: Commands, store_path: Path, embedder: Path) -> None:
    chunks = [*ONLY, *settings(embedder, chunk_rows=4)]
    process = subprocess.Popen(
        commands.dbt_command("run", *chunks),
        cwd=PROJECT,
        env=commands.environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    # The first chunk is reported as soon as it is committed; 24 more are to come.
    seen = next((line for line in process.stdout if "int_sequence__embedding: 4 of 100 rows" in line), None)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert seen is not None, "dbt reported no first chunk"
    kept = len(contents(store_path, "intermediate")["int_sequence__embedding"])
    assert 4 <= kept < 100

    commands.dbt("run", *chunks)
    assert rows_computed(store_path)[EMBEDDED] == 100 - kept
    assert counts(store_path) == brute_force(store_path, None)
