"""Which model a name stands for: the shipped one, a folder of either kind, or a hub id."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from udf.errors import UdfError
from udf.language_model.folders import model_files
from udf.language_model.hub import is_hub_id, repository
from udf.nl_score import ngram_model

DEFAULT_NAMES = ("default", "")


class Scorer(Protocol):
    """Whatever gives log-odds of natural language."""

    def log_odds(self, texts: pa.Array) -> np.ndarray:
        """float64 [n]; NaN where there is nothing to judge."""


def scorer(name: str) -> Scorer:
    """The model of a name, loaded when it is first asked for and kept.

    Raises:
        UdfError: there is no such model, or it cannot tell natural language from code.
    """
    folder = _folder(name)
    if folder is not None and ngram_model.is_ngram_folder(folder):
        return ngram_model.load(folder)
    from udf.nl_score.classifiers import load_classifier

    return load_classifier(name)


def checksum(name: str) -> str:
    """A digest of the model's files; of a hub id, its commit.

    Raises:
        UdfError: there is no such model.
    """
    folder = _folder(name)
    if folder is None:
        return f"commit:{repository(name, 'main').commit}"
    if ngram_model.is_ngram_folder(folder):
        files = [folder / ngram_model.WEIGHTS_FILE]
    else:
        # The tokenizer decides as much as the weights.
        files = [*model_files(folder), *(path for path in [folder / "tokenizer.json"] if path.is_file())]
    return _digest(tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files))


def _folder(name: str) -> Path | None:
    """The folder that a name stands for; None for a hub id."""
    if name in DEFAULT_NAMES:
        return ngram_model.DEFAULT_FOLDER
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if is_hub_id(name):
        return None
    raise UdfError(
        f"no classifier at {name}: {folder.absolute()} {'is a file' if folder.exists() else 'does not exist'}; expected "
        "'default', a folder that memtax classifier train or transformers wrote, or a Hugging Face hub id"
    )


@lru_cache(maxsize=16)
def _digest(files: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, size, _ in files:
        digest.update(f"{Path(path).name}\0{size}\0".encode())
        with Path(path).open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()
