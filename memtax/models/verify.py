"""Are registered files still those that were registered? Otherwise one fingerprint would cover rows of two models."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from memtax.models.describe import files_checksum
from udf.errors import UdfError
from udf.language_model.folders import model_files


def model_fault(location: str | None, checksum: str | None) -> str | None:
    """What is wrong with a registered local model, in words that say what to do; None if nothing is.

    Args:
        location: the registered folder.
        checksum: its registered checksum. Large weights are compared by size, time and sampled blocks.
    """
    if location is None or checksum is None:
        return None
    if not Path(location).exists():  # a folder, or a GGUF file
        return (
            f"{location} is gone; put it back, register its new place with memtax ingest model, or take the model out with "
            "memtax ingest model NAME --remove"
        )
    try:
        files = model_files(Path(location))
        now = _checksum_at(location, tuple((path.stat().st_size, path.stat().st_mtime_ns) for path in files))
    except (OSError, UdfError) as error:
        return str(error)
    if now == checksum:
        return None
    return (
        f"the model in {location} is not the one that was registered; register it again with memtax ingest model "
        "(its scores are then computed anew), or put the registered files back"
    )


def tokenizer_fault(location: str | None, checksum: str | None) -> str | None:
    """The same of a tokenizer, of a corpus or a model; one on the hub is taken as it is.

    Args:
        location: path of its tokenizer.json, or a hub id.
        checksum: sha256 of the file when it was registered.
    """
    if location is None or checksum is None or not Path(location).is_absolute():
        return None
    if not Path(location).is_file():
        return f"the tokenizer {location} is gone; put it back where it was"
    if sha256(Path(location).read_bytes()).hexdigest() != checksum:
        return f"the tokenizer {location} is not the one that was registered; put that one back"
    return None


@lru_cache(maxsize=16)
def _checksum_at(location: str, _stamps: tuple[tuple[int, int], ...]) -> str:
    # Asked once a chunk; read again only when a size or a time has changed.
    return files_checksum(Path(location))
