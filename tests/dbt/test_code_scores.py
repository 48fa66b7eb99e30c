"""Code scores as dbt keeps them: the fingerprint follows the classifier's files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from memtax import store
from tests.conftest import Commands
from tests.dbt.conftest import contents, evaluate, rows_computed
from udf.nl_score.features import NgramSettings
from udf.nl_score.ngram_model import NgramModel, save


def tokenizer(path: Path) -> Path:
    from tokenizers import Tokenizer, models

    Tokenizer(models.WordLevel({f"w{number}": number for number in range(70)}, unk_token="w0")).save(str(path))
    return path


def test_another_classifier_scores_anew_and_the_same_one_nothing(commands: Commands, tmp_path: Path) -> None:
    rows = [list(range(64)), [5] * 64]
    evaluate(commands.database, "memories", "words", [(0, 0), (1, 0)], rows)
    with store.writing(commands.database) as connection:
        connection.execute(
            "insert into raw.corpora (corpus, tokenizer) values ('words', ?)",
            [str(tokenizer(tmp_path / "tokenizer.json"))],
        )
    classifier = tmp_path / "classifier"
    classifier.mkdir()
    run = ("run", "-s", "+feat_sequence__code", "--vars", json.dumps({"nl_score_with": str(classifier)}))
    found = []
    for bias in (1.0, 1.0, 2.0):
        save(NgramModel(np.zeros(16, dtype=np.float32), bias, NgramSettings(4)), classifier / "model.safetensors")
        commands.dbt(*run)
        found.append(rows_computed(commands.database)["int_sequence__code.nl_score_with"])
    assert found == [2, 0, 2]
    expected = 1 / (1 + np.exp(-2.0))
    assert [(row[1], row[3:5]) for row in contents(commands.database)["feat_sequence__code"]] == [
        (number, (expected, "nl")) for number in range(2)
    ]
