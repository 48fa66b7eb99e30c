"""Loading an embedding model once, through sentence-transformers, and running it over texts."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np

from udf.embedding.files import embedding_folder, stamps
from udf.errors import UdfError
from udf.language_model.loading import DEVICE_VARIABLE

DIMENSIONS = 384
# Texts to a forward pass. A window is about 60 word pieces: more texts make the CPU no faster.
BATCH_SIZE = 64


class _Cache:
    """Holds one model at a time, for as long as its files stay the same."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._key: tuple[object, ...] | None = None
        self._model: Any = None

    def encode(self, location: str, texts: list[str]) -> np.ndarray:
        with self._lock:
            folder = embedding_folder(location)
            device = os.environ.get(DEVICE_VARIABLE) or "auto"
            key = (folder, device, stamps(folder))
            if key != self._key:
                self._key, self._model = None, None  # the old one goes before the new one comes
                self._model = _load(folder, device, location)
                self._key = key
            return self._model.encode(
                texts, batch_size=BATCH_SIZE, show_progress_bar=False, convert_to_numpy=True, precision="float32"
            )


_cache = _Cache()


def encode(location: str, texts: list[str]) -> np.ndarray:
    """The embeddings of texts, float32 [n, 384].

    Equal texts are embedded once; the library sorts by length, so that texts of like length share a batch and little is
    padded. Texts beyond the model's longest sequence (256 word pieces for all-MiniLM-L6-v2) are cut there.

    Args:
        location: as for `embedding_folder`.
        texts: any number.

    Raises:
        UdfError: the model cannot be found or loaded, or its vectors are not of 384 finite numbers.
    """
    distinct = list(dict.fromkeys(texts))
    vectors = np.asarray(_cache.encode(location, distinct), dtype=np.float32)
    if vectors.shape != (len(distinct), DIMENSIONS):
        raise UdfError(
            f"the embedding model {location} gives vectors of {vectors.shape[-1]} numbers; memtax keeps {DIMENSIONS}, as "
            "all-MiniLM-L6-v2 has them"
        )
    if not np.isfinite(vectors).all():
        raise UdfError(f"the embedding model {location} gave numbers that are not finite; its weights are damaged")
    place = {text: row for row, text in enumerate(distinct)}
    return vectors[[place[text] for text in texts]]


def _load(folder: Path, device: str, location: str) -> Any:
    try:
        import torch
        import transformers
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise UdfError(f"embeddings need sentence-transformers ({error}): pip install 'memtax[similarity]'") from error
    from udf.language_model.loading import quiet, torch_device

    try:
        with quiet(transformers):
            return SentenceTransformer(
                str(folder),
                device=str(torch_device(torch, device)),
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True, "dtype": torch.float32},
            )
    # Three libraries raise here, each its own errors; all of them mean that the folder is not a whole model.
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UdfError(f"the embedding model {location} in {folder} cannot be loaded: {first}") from error
