"""Any transformers sequence-classification model in the place of the default one, such as the paper's DistilBERT."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from udf.detokenize import TOKENIZER_FILE, load_tokenizer
from udf.errors import UdfError
from udf.language_model import batch_size
from udf.language_model.folders import CONFIG_FILE, model_files, model_folder
from udf.language_model.hub import fetch, is_hub_id
from udf.language_model.loading import DEVICE_VARIABLE, _first_line, _libraries, _weights, quiet, torch_device

# The names that classifiers give to the two labels, in small letters and without what joins words.
LANGUAGE_NAMES = frozenset({"nl", "naturallanguage", "natural", "language", "text", "prose", "notcode", "noncode"})
CODE_NAMES = frozenset({"code", "sourcecode", "source", "program", "programming", "iscode", "notnl", "nonnl"})
# Embeddings of some models have places for padding beside those of tokens.
LONGEST = 512

_lock = threading.Lock()


@dataclass(frozen=True)
class Classifier:
    """A loaded classifier.

    Attributes:
        network: the transformers model, in evaluation mode.
        tokenizer: of the tokenizers library; truncates at the model's longest input.
        device: the torch device of the model.
        language: the index of the label that means natural language.
    """

    network: Any
    tokenizer: Any
    device: Any
    language: int

    def log_odds(self, texts: pa.Array) -> np.ndarray:
        """The difference of the two logits, float64 [n]; NaN for NULL and for texts of white space alone.

        Texts are taken by length, so that little is padded; padding is masked.
        """
        rows = [row for row, text in enumerate(texts.to_pylist()) if text is not None and text.strip()]
        found = np.full(len(texts), np.nan)
        with _lock:
            encoded = [item.ids for item in self.tokenizer.encode_batch([texts[row].as_py() for row in rows])]
            order, size = sorted(range(len(rows)), key=lambda place: len(encoded[place])), batch_size()
            for start in range(0, len(order), size):
                places = order[start : start + size]
                found[[rows[place] for place in places]] = self._differences([encoded[place] for place in places])
        return found

    def _differences(self, ids: list[list[int]]) -> np.ndarray:
        import torch

        longest = max(map(len, ids))
        padding = self.network.config.pad_token_id or 0
        tokens = torch.full((len(ids), longest), padding, dtype=torch.long)
        mask = torch.zeros_like(tokens)
        for row, one in enumerate(ids):
            tokens[row, : len(one)] = torch.tensor(one)
            mask[row, : len(one)] = 1
        with torch.inference_mode():
            logits = self.network(tokens.to(self.device), attention_mask=mask.to(self.device)).logits.double().cpu()
        return (logits[:, self.language] - logits[:, 1 - self.language]).numpy()


def load_classifier(name: str) -> Classifier:
    """The classifier of a folder or hub id, loaded once for as long as its files and MEMTAX_DEVICE stay the same.

    Raises:
        UdfError: it cannot be found or loaded, or its labels do not say which is natural language.
    """
    folder = model_folder(name, "main")
    if is_hub_id(name):
        fetch(name, "main", (TOKENIZER_FILE,))
    stamps = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in model_files(folder))
    with _lock:
        return _load(name, folder, stamps, os.environ.get(DEVICE_VARIABLE) or "auto")


def language_label(id2label: dict[int, str], name: str) -> int:
    """Which of a model's two labels is natural language.

    Raises:
        UdfError: there are not two labels, or their names do not tell.
    """
    known = ", ".join(f"{index}: {label}" for index, label in id2label.items())
    if sorted(id2label) != [0, 1]:
        raise UdfError(f"{name} has the labels {known}; expected two, of code and of natural language")
    plain = ["".join(filter(str.isalpha, id2label[index].lower())) for index in (0, 1)]
    language = [index for index in (0, 1) if plain[index] in LANGUAGE_NAMES or plain[1 - index] in CODE_NAMES]
    if len(language) != 1:
        raise UdfError(
            f"{name} has the labels {known}, which do not say which is natural language; name them in its {CONFIG_FILE}: "
            '"id2label": {"0": "nl", "1": "code"}, in the order in which it was trained'
        )
    return language[0]


@lru_cache(maxsize=1)
def _load(name: str, folder: Path, _stamps: tuple[tuple[str, int, int], ...], device: str) -> Classifier:
    torch, transformers = _libraries()
    target = torch_device(torch, device)
    with quiet(transformers):
        try:
            config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
            with torch.device("meta"):
                blueprint = transformers.AutoModelForSequenceClassification.from_config(config, trust_remote_code=False)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UdfError(
                f"transformers {transformers.__version__} cannot build a sequence-classification model from "
                f"{folder / CONFIG_FILE}: {_first_line(error)}"
            ) from error
        language = language_label(config.id2label, name)
        try:
            network, report = type(blueprint).from_pretrained(
                None, config=config, state_dict=_weights(model_files(folder)[1:]), output_loading_info=True
            )
        except (RuntimeError, ValueError) as error:
            raise UdfError(f"the weights of {name} do not fit its {CONFIG_FILE}: {_first_line(error)}") from error
    missing = sorted(report["missing_keys"])
    if missing:
        # A model that was not trained to classify would get a classifier of random numbers.
        raise UdfError(
            f"{name} is not trained to classify sequences: its weights lack {missing[0]} and {len(missing) - 1} more; "
            "train it with memtax classifier train --recipe transformer"
        )
    # A copy: the tokenizer that is kept for decoding must not start to truncate.
    tokenizer = type(load_tokenizer(str(folder))).from_str(load_tokenizer(str(folder)).to_str())
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(getattr(config, "max_position_embeddings", LONGEST), LONGEST))
    return Classifier(network.to(target).eval(), tokenizer, target, language)
