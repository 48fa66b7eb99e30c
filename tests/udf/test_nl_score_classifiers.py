"""nl_score_with any sequence-classification model: a DistilBERT with random weights that the tests make."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from udf.errors import UdfError
from udf.nl_score import nl_score_with
from udf.nl_score.classifiers import language_label

TEXTS = ["a b c", "b a", "c " * 100, "", None, "a b c", "unknown words"]


def make(folder: Path, labels: dict[int, str], seed: int = 0, kind: str = "sequence") -> Path:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import DistilBertConfig, DistilBertForMaskedLM, DistilBertForSequenceClassification

    words = {word: index for index, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    torch.manual_seed(seed)
    config = DistilBertConfig(
        vocab_size=len(words), dim=16, n_layers=1, n_heads=2, hidden_dim=32, max_position_embeddings=24, pad_token_id=0,
        initializer_range=0.5, id2label=labels, label2id={name: index for index, name in labels.items()},
    )  # fmt: skip
    classes: dict[str, Any] = {"sequence": DistilBertForSequenceClassification, "masked": DistilBertForMaskedLM}
    classes[kind](config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def scores(folder: Path, texts: list[str | None] = TEXTS) -> list[float | None]:
    return nl_score_with(pa.array(texts, pa.string()), pa.array([str(folder)] * len(texts), pa.string())).to_pylist()


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("classifier") / "model", {0: "code", 1: "nl"})


def test_scores_are_the_softmax_of_the_model_itself(classifier: Path) -> None:
    import torch
    from transformers import DistilBertForSequenceClassification

    network = DistilBertForSequenceClassification.from_pretrained(classifier).eval()
    with torch.inference_mode():
        expected = network(torch.tensor([[2, 4, 5, 6, 3]])).logits.softmax(-1)[0, 1].item()
    found = scores(classifier)
    assert found[0] == pytest.approx(expected, abs=1e-6)
    assert found[0] == pytest.approx(found[5], abs=1e-6)
    assert found[3] == 0.5 and found[4] is None
    assert all(value is None or (0 < value < 1 and math.isfinite(value)) for value in found)


def test_neither_batch_nor_padding_matters(classifier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scores(classifier)
    monkeypatch.setenv("MEMTAX_BATCH_SIZE", "1")
    assert scores(classifier) == pytest.approx(whole, abs=1e-5)


def test_label_order_is_taken_from_the_configuration(classifier: Path, tmp_path: Path) -> None:
    swapped = make(tmp_path / "swapped", {0: "NL", 1: "Source Code"})
    for one, other in zip(scores(classifier), scores(swapped), strict=True):
        assert one is None or one == pytest.approx(1 - (other or 0), abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "language"),
    [({0: "CODE", 1: "NL"}, 1), ({0: "natural_language", 1: "x"}, 0), ({0: "other", 1: "code"}, 0),
     ({0: "not-code", 1: "code"}, 0)],
)  # fmt: skip
def test_labels_that_tell(labels: dict[int, str], language: int) -> None:
    assert language_label(labels, "m") == language


@pytest.mark.parametrize(
    "labels", [{0: "LABEL_0", 1: "LABEL_1"}, {0: "nl", 1: "text"}, {0: "nl"}, {0: "nl", 1: "code", 2: "x"}]
)
def test_labels_that_do_not_tell_are_refused(labels: dict[int, str]) -> None:
    with pytest.raises(UdfError, match=r"which do not say|expected two"):
        language_label(labels, "m")


def test_a_model_that_was_not_trained_to_classify_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UdfError, match="not trained to classify"):
        scores(make(tmp_path / "masked", {0: "code", 1: "nl"}, kind="masked"))


def test_files_that_are_missing_are_named(classifier: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "distilbert"}))
    with pytest.raises(UdfError, match=r"no model\.safetensors"):
        scores(tmp_path)
