"""The checkpoints that the demo keeps: what they are, whether they can be used again, and how they come into place.

    FOLDER/MODEL/training.json      the fingerprint of what shaped the model, written last
    FOLDER/MODEL/step123/           config.json, model.safetensors

A model's folder appears whole, by one rename, so that a training that was stopped leaves nothing that looks finished.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from memtax.demo.sizes import DemoSize, ModelShape

RECORD = "training.json"


@dataclass(frozen=True)
class TrainedCheckpoint:
    """One kept checkpoint.

    Attributes:
        model: the model's name.
        revision: `step<N>`.
        location: the folder with config.json and model.safetensors.
        training_fraction: the share of the training that was done.
        n_parameters: weights, each counted once.
    """

    model: str
    revision: str
    location: Path
    training_fraction: float
    n_parameters: int


def fingerprint(tokens: np.ndarray, shape: ModelShape, size: DemoSize, precision: str) -> str:
    """A digest of everything that shapes a model's weights on one machine: another digest, another training."""
    parts = {
        "shape": asdict(shape),
        "tokens": hashlib.sha256(np.ascontiguousarray(tokens).tobytes()).hexdigest(),
        "tokens_shape": tokens.shape,
        "vocabulary": size.vocabulary,
        "batch": size.batch,
        "checkpoints": size.checkpoints,
        "seed": size.seed,
        "precision": precision,
        "versions": {name: version(name) for name in ("torch", "transformers")},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def finished(place: Path, wanted: str) -> list[TrainedCheckpoint] | None:
    """The checkpoints of the model folder `place`, or None if they are not whole or not of the fingerprint `wanted`."""
    try:
        record = json.loads((place / RECORD).read_text(encoding="utf-8"))
        if record["fingerprint"] != wanted:
            return None
        kept = [
            TrainedCheckpoint(place.name, revision, place / revision, fraction, record["n_parameters"])
            for revision, fraction in record["checkpoints"].items()
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    whole = all((one.location / file).is_file() for one in kept for file in ("config.json", "model.safetensors"))
    return kept if kept and whole else None


@contextmanager
def replacing(place: Path) -> Iterator[Path]:
    """A fresh folder beside `place` to fill; it takes the place when the block ends, and not if the block fails."""
    unfinished = place.with_name(f"{place.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    yield unfinished
    # Only now does the old model go: a training that fails must not cost the one that was there.
    shutil.rmtree(place, ignore_errors=True)
    unfinished.rename(place)


def write_record(folder: Path, digest: str, revisions: dict[str, float], n_parameters: int) -> None:
    """Say in `folder` what its checkpoints came from and how far each was trained (`revisions`: name to share)."""
    record = {"fingerprint": digest, "checkpoints": revisions, "n_parameters": n_parameters}
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
