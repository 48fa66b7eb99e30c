"""Both recipes on little text: files written whole, the same bytes again, and a model that has learnt something."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from memtax.classifier.labelled import Labelled
from memtax.classifier.linear import LinearOptions, fit_temperature
from memtax.classifier.train import scores_of, train_classifier
from memtax.classifier.transformer import TransformerOptions
from memtax.errors import SourceError
from tests.conftest import Commands
from udf.nl_score.features import NgramSettings

PROSE = [
    "The boats had left the harbour before dawn, and nobody could say when they would be back.",
    "A licence is granted to any person who obtains a copy, on the terms that follow below.",
    "He asked her twice whether the letter had come, but she only shook her head and smiled.",
    "Rain fell on the hills all week, so the river rose and took the lower bridge with it.",
]
CODE = [
    "for (i = 0; i < n; i++) {{ total += a[i] * {0}; }}",
    "if (p->x == {0}) {{ return &p->y[{0}]; }}",
    "call({0}, b[{0}]);",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text")
    for number in range(60):
        (folder / f"{number}.txt").write_text(
            " ".join(PROSE[(number + k) % 4] + f" So it was {number}." for k in range(9))
        )
        (folder / f"{number}.c").write_text("\n".join(CODE[(number + k) % 3].format(number * k) for k in range(60)))
        (folder / f"{number}.js").write_text("\n".join(CODE[(number + k) % 3].format(number + k) for k in range(60)))
    return folder


def train(out: Path, folder: Path, options: LinearOptions | TransformerOptions, **changes: object) -> None:
    arguments = {
        "command": "memtax classifier train",
        "folders": [folder],
        "seed": 1,
        "per_kind": 150,
        "made_per_kind": 20,
    }
    train_classifier(out, options, **arguments | changes, progress=lambda _: None)  # type: ignore[arg-type]


LINEAR = LinearOptions(settings=NgramSettings(12, 3, 3))


def test_the_linear_recipe(tmp_path: Path, folder: Path) -> None:
    for name in ("one", "two"):
        train(
            tmp_path / name, folder, LINEAR, labelled={"mine": Labelled([PROSE[0], CODE[0]], np.array([True, False]))}
        )
    files = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert set(files) == {"model.safetensors", "card.json", "README.md"}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    card = json.loads(files["card.json"])
    assert card["scores"]["mine"]["roc_auc"] == 1.0
    assert card["data"]["kinds"]["c"]["code"] > 0 and card["distributions"]["numpy"]
    assert str(folder.parent) not in files["card.json"].decode()
    language, code = scores_of(str(tmp_path / "one"), [PROSE[2], CODE[1]])
    assert language > 0.5 > code


def test_the_transformer_recipe_as_a_command(tmp_path: Path, folder: Path, commands: Commands) -> None:
    """In a process of its own: beside these tests lies a folder that the Trainer would take for the library datasets."""
    pytest.importorskip("accelerate")
    out, base = tmp_path / "out", _tiny_base(tmp_path / "base")
    commands.memtax(
        "classifier", "train", out, "--from", folder, "--recipe", "transformer", "--base", base, "--learning-rate", 3e-3,
        "--epochs", 1, "--max-length", 32, "--per-kind", 120, "--made-per-kind", 30,
    )  # fmt: skip
    assert (out / "model.safetensors").is_file() and (out / "tokenizer.json").is_file()
    assert not list(out.glob("*.bin"))
    config, card = (json.loads((out / name).read_text()) for name in ("config.json", "card.json"))
    assert config["id2label"] == {"0": "code", "1": "nl"}
    assert card["options"]["max_length"] == 32
    assert str(tmp_path) not in card["command"]
    language, code = scores_of(str(out), [PROSE[2], CODE[1].format(7)])
    assert language > code


def test_a_base_that_is_not_there_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(SourceError, match=r"--base .*nowhere cannot be loaded"):
        train(tmp_path / "out", folder, TransformerOptions(str(tmp_path / "nowhere")))
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(SourceError, match="is no classifier"):
        train(tmp_path, folder, LINEAR)
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_too_little_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="200 of each are needed"):
        train(tmp_path / "out", tmp_path / "empty", LINEAR, made_per_kind=1)
    assert not (tmp_path / "out").exists()


def test_temperature_mends_what_is_too_sure() -> None:
    generator = np.random.default_rng(0)
    log_odds = generator.normal(size=20_000) * 2
    labels = (generator.uniform(size=20_000) < 1 / (1 + np.exp(-log_odds))).astype(int)
    assert fit_temperature(log_odds * 3, labels) == pytest.approx(3, rel=0.05)


def _tiny_base(folder: Path) -> Path:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import DistilBertConfig, DistilBertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        PROSE + CODE, trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    torch.manual_seed(0)
    config = DistilBertConfig(vocab_size=200, dim=32, n_layers=1, n_heads=2, hidden_dim=64, max_position_embeddings=64)
    DistilBertModel(config).save_pretrained(folder)
    return folder
