"""The default model: a table of weights in safetensors, scored by the native kernel on all cores."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from udf.errors import UdfError
from udf.nl_score.features import NgramSettings
from udf.settings import available_threads

DEFAULT_FOLDER = Path(__file__).parent / "default"
WEIGHTS_FILE = "model.safetensors"
FORMAT = "memtax n-gram model, version 1"


@dataclass(frozen=True)
class NgramModel:
    """Weights of n-grams.

    Attributes:
        weights: float32 [2 ** buckets_log2].
        bias: log-odds of natural language of a text that says nothing.
        settings: how texts become n-grams.
    """

    weights: np.ndarray
    bias: float
    settings: NgramSettings

    @cached_property
    def _native(self) -> Any:
        # The reference never stands in for the extension: it is hundreds of times slower.
        module = import_module("memtax_native._text")
        return module.NgramModel(weights=self.weights, bias=self.bias, **asdict(self.settings))

    def log_odds(self, texts: pa.Array) -> np.ndarray:
        """Log-odds of natural language, float64 [n]; NaN for NULL and for texts without a character to judge."""
        offsets, data = utf8(texts)
        return self._native.log_odds(offsets, data, available_threads())

    def ngrams(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """The buckets of all texts' n-grams, and how many each has of its characters and its shape [n, 2]."""
        return self._native.ngrams(*utf8(texts))


def empty_model(settings: NgramSettings) -> NgramModel:
    """A model that knows nothing, to be trained."""
    return NgramModel(np.zeros(2**settings.buckets_log2, dtype=np.float32), 0.0, settings)


def save(model: NgramModel, path: Path) -> None:
    """Write a model as safetensors (float16 weights, the settings as metadata), whole or not at all."""
    from safetensors.numpy import save as to_bytes

    # Under one key: the library writes several in an order that changes from call to call.
    metadata = {FORMAT: json.dumps({"bias": model.bias, "settings": asdict(model.settings)}, sort_keys=True)}
    part = path.with_name(path.name + ".part")
    part.write_bytes(to_bytes({"weights": model.weights.astype(np.float16)}, metadata=metadata))
    part.replace(path)


def is_ngram_folder(folder: Path) -> bool:
    """Whether a folder holds such a model: its weights and no configuration of a transformers model."""
    return (folder / WEIGHTS_FILE).is_file() and not (folder / "config.json").exists()


def load(folder: Path) -> NgramModel:
    """The model of a folder, read once for as long as its file stays the same.

    Raises:
        UdfError: there is none, or it is damaged or of another format.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise UdfError(
            f"no n-gram model at {folder}: it holds no {WEIGHTS_FILE}; write one with memtax classifier train"
        )
    stat = path.stat()
    return _load(path, (stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=4)
def _load(path: Path, _stamp: tuple[int, int]) -> NgramModel:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise UdfError(f"reading {path} needs safetensors: pip install safetensors") from error
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if FORMAT not in metadata:
                raise UdfError(
                    f"{path} is not a {FORMAT}: its metadata are {metadata}; write it again with memtax classifier train"
                )
            content = json.loads(metadata[FORMAT])
            settings = NgramSettings(**content["settings"])
            weights, bias = file.get_tensor("weights").astype(np.float32), float(content["bias"])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, UdfError):
            raise
        raise UdfError(f"{path} is not a whole n-gram model: {error}; copy it again") from error
    if weights.shape != (2**settings.buckets_log2,):
        raise UdfError(f"{path} holds weights {weights.shape}; its settings ask for {2**settings.buckets_log2}")
    return NgramModel(weights, bias, settings)


def utf8(texts: pa.Array) -> tuple[np.ndarray, memoryview | bytes]:
    """Offsets, int64 [n + 1], and the bytes of a column; NULL has none."""
    filled = texts.cast(pa.large_string()).fill_null("")
    buffers = filled.buffers()
    if len(filled) == 0:
        return np.zeros(1, dtype=np.int64), b""
    offsets = np.frombuffer(buffers[1], dtype=np.int64)[filled.offset : filled.offset + len(filled) + 1]
    return offsets, memoryview(buffers[2]) if buffers[2] is not None else b""
