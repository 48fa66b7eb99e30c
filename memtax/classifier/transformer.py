"""The paper's recipe: a sequence-classification model, trained with transformers' Trainer."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from memtax.classifier.windows import Windows
from memtax.errors import MissingExtraError, SourceError

LABELS = {0: "code", 1: "nl"}
HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class TransformerOptions:
    """Hyper-parameters; the defaults are the common ones for fine-tuning DistilBERT.

    Attributes:
        base: a folder or a hub id of the model to begin with.
        learning_rate: of AdamW, falling linearly to 0.
        epochs: passes over the windows.
        batch_size: windows a step.
        weight_decay: of AdamW.
        max_length: tokens of a window; the rest is cut off.
        seed: of the order and of the new classifier's weights.
    """

    base: str = "distilbert-base-uncased"
    learning_rate: float = 2e-5
    epochs: float = 2.0
    batch_size: int = 32
    weight_decay: float = 0.01
    max_length: int = 128
    seed: int = 1


def train_transformer(windows: Windows, out: Path, options: TransformerOptions) -> dict[str, float]:
    """Fine-tune and write config.json, safetensors and tokenizer into `out`; the scores on a held-out tenth.

    Raises:
        MissingExtraError: torch, transformers or accelerate is missing.
        SourceError: the base model or its tokenizer cannot be loaded.
    """
    try:
        import accelerate  # noqa: F401 - Trainer needs it, and says so only after minutes
        import transformers
    except ImportError as error:
        raise MissingExtraError("the transformer recipe", "models") from error
    # Before the model: the weights of its classifier are drawn at random.
    transformers.set_seed(options.seed)
    tokenizer, model = _base(transformers, options.base)
    held_out = int(len(windows.texts) * HELD_OUT_SHARE) or 1
    parts = [
        _Dataset(tokenizer(windows.texts[rows], truncation=True, max_length=options.max_length), windows.labels[rows])
        for rows in (slice(held_out, None), slice(None, held_out))
    ]
    with tempfile.TemporaryDirectory(prefix="memtax-classifier-") as scratch:
        trainer = transformers.Trainer(
            model=model,
            args=transformers.TrainingArguments(
                output_dir=scratch,
                learning_rate=options.learning_rate,
                num_train_epochs=options.epochs,
                per_device_train_batch_size=options.batch_size,
                per_device_eval_batch_size=options.batch_size,
                weight_decay=options.weight_decay,
                seed=options.seed,
                save_strategy="no",
                report_to=[],
                logging_steps=50,
            ),
            train_dataset=parts[0],
            eval_dataset=parts[1],
            data_collator=transformers.DataCollatorWithPadding(tokenizer),
        )
        trainer.train()
        logits = trainer.predict(parts[1]).predictions  # type: ignore[arg-type]  # any object with these two methods
        written = Path(scratch, "model")
        model.save_pretrained(written)
        tokenizer.save_pretrained(written)
        shutil.copytree(written, out, dirs_exist_ok=True)
    correct = np.argmax(logits, axis=1) == np.array(parts[1].labels)
    return {"n_held_out": float(held_out), "held_out_accuracy": float(correct.mean())}


def _base(transformers: Any, base: str) -> tuple[Any, Any]:
    labels: dict[str, Any] = {"id2label": LABELS, "label2id": {name: index for index, name in LABELS.items()}}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(base, trust_remote_code=False)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            base, trust_remote_code=False, use_safetensors=True, num_labels=2, ignore_mismatched_sizes=True, **labels
        )
    except (OSError, ValueError, KeyError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SourceError(
            f"--base {base} cannot be loaded ({first}); expected a folder with config.json, safetensors and a tokenizer, "
            "or a Hugging Face hub id that can be reached"
        ) from error
    return tokenizer, model


class _Dataset:
    """Tokenized windows as Trainer indexes them."""

    def __init__(self, encoded: Any, labels: list[int]) -> None:
        self.encoded, self.labels = encoded, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {name: values[row] for name, values in self.encoded.items()} | {"labels": self.labels[row]}
