"""nl_score as people call it: what ships, other names for it, what a model's files must be, and agreement with labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import save_file

from udf.errors import UdfError
from udf.nl_score import nl_score, nl_score_with
from udf.nl_score.features import NgramSettings
from udf.nl_score.models import checksum
from udf.nl_score.ngram_model import DEFAULT_FOLDER, WEIGHTS_FILE, NgramModel, empty_model, save

LANGUAGE = [
    "She closed the door behind her and walked down to the harbour, where the boats were already waiting for the tide.",
    "// Permission to use this software is granted to any person, provided that the notice above appears in all copies.",
    "Der Rat hat gestern beschlossen, die Brücke im kommenden Jahr zu erneuern und den Verkehr umzuleiten.",
    "PLEASE DO NOT LEAVE YOUR LUGGAGE UNATTENDED PLEASE DO NOT LEAVE YOUR LUGGAGE UNATTENDED",
]
CODE = [
    "if (node->next == NULL) { return -1; } node->count++; list_append(&queue, node->next);",
    '<div class="row"><a href="/index.html" id="home">x</a></div><ul class="menu"><li></li></ul>',
    "0x1f, 0x2e, 0x00, 0x7c, 0x11, 0xa0, 0x33, 0x9e, 0x21, 0x00, 0x00, 0xff,",
    '{"id": 17, "items": [{"key": "a", "value": null}, {"key": "b", "value": 3.5}], "next": false}',
]


def scores(texts: list[str | None], *model: str) -> list[float | None]:
    column = pa.array(texts, pa.string())
    names = [pa.array([name] * len(texts), pa.string()) for name in model]
    return (nl_score_with(column, *names) if model else nl_score(column)).to_pylist()


def test_plain_cases() -> None:
    assert min(scores(LANGUAGE)) > 0.5 > max(scores(CODE))


def test_blank_text_is_neither_and_null_stays_null() -> None:
    assert scores(["", " \n\t ", "\u3000", None]) == [0.5, 0.5, 0.5, None]
    assert scores([]) == []


def test_line_breaks_and_indentation_do_not_matter() -> None:
    assert scores([text.replace(" ", "\n    ") for text in LANGUAGE + CODE]) == scores(LANGUAGE + CODE)


def test_names_of_the_shipped_model() -> None:
    texts = [*LANGUAGE, None, *CODE]
    assert scores(texts, "default") == scores(texts, "") == scores(texts, str(DEFAULT_FOLDER)) == scores(texts)
    assert checksum("default") == checksum("") == checksum(str(DEFAULT_FOLDER))


def test_null_model_gives_null() -> None:
    assert nl_score_with(pa.array(["a b"]), pa.nulls(1, pa.string())).to_pylist() == [None]


def test_two_models_in_one_batch_are_refused() -> None:
    with pytest.raises(UdfError, match="one value of model"):
        nl_score_with(pa.array(["a", "b"]), pa.array(["default", "other"]))


def test_what_ships_is_small_and_has_a_card() -> None:
    assert (DEFAULT_FOLDER / WEIGHTS_FILE).stat().st_size <= 2 * 2**20
    assert (DEFAULT_FOLDER / "README.md").is_file() and (DEFAULT_FOLDER / "card.json").is_file()


def test_a_trained_folder_is_used_and_read_again_when_it_changes(tmp_path: Path) -> None:
    shape = NgramSettings(8)
    save(NgramModel(np.zeros(256, dtype=np.float32), 2.0, shape), tmp_path / WEIGHTS_FILE)
    before = checksum(str(tmp_path))
    assert scores(["x"], str(tmp_path)) == [pytest.approx(1 / (1 + np.exp(-2.0)))]
    save(NgramModel(np.ones(256, dtype=np.float32), -700.0, shape), tmp_path / WEIGHTS_FILE)
    assert scores(["x"], str(tmp_path)) == [pytest.approx(0.0, abs=1e-200)]
    assert checksum(str(tmp_path)) != before


def test_unusable_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UdfError, match="does not exist; expected 'default'"):
        scores(["x"], str(tmp_path / "missing"))
    (tmp_path / WEIGHTS_FILE).write_bytes(b"not safetensors")
    with pytest.raises(UdfError, match="not a whole n-gram model"):
        scores(["x"], str(tmp_path))
    save_file({"weights": np.zeros(4, dtype=np.float16)}, tmp_path / WEIGHTS_FILE)
    with pytest.raises(UdfError, match="not a memtax n-gram model"):
        scores(["x"], str(tmp_path))
    save(NgramModel(np.zeros(5, dtype=np.float32), 0.0, NgramSettings(4)), tmp_path / WEIGHTS_FILE)
    with pytest.raises(UdfError, match="settings ask for 16"):
        scores(["x"], str(tmp_path))


def test_an_empty_model_knows_nothing() -> None:
    assert empty_model(NgramSettings(6)).log_odds(pa.array(["any text"])).tolist() == [0.0]


def test_agreement_with_the_labels(shared_data: Path) -> None:
    from sklearn.metrics import f1_score, roc_auc_score

    with (shared_data / "code_vs_nl.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found, is_code = np.array(scores([row["text"] for row in rows])), np.array([row["is_code"] == "1" for row in rows])
    assert len(rows) == 239
    assert roc_auc_score(~is_code, found) >= 0.975
    # The paper's DistilBERT has 0.924 on rows of this kind.
    assert f1_score(is_code, found < 0.5) >= 0.95
