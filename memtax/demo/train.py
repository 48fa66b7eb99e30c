"""Training the demo's language models: small GPT-NeoX on the packed corpus, a few checkpoints of each kept."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np

from memtax.demo.checkpoints import TrainedCheckpoint, fingerprint, finished
from memtax.demo.sizes import DemoSize, ModelShape, size_named
from memtax.demo.training_loop import precision, train
from memtax.errors import MemtaxError

__all__ = ["TrainedCheckpoint", "train_models"]


def train_models(tokens: np.ndarray, folder: Path | str, size: str | DemoSize) -> list[TrainedCheckpoint]:
    """Train every model of a demo size, side by side, and keep its checkpoints.

    A model whose checkpoints are there under the same fingerprint (shape, data, seed, versions) is not trained again.
    On one machine the same tokens give the same weights, whatever else it is doing.

    Args:
        tokens: uint16 [sequences, sequence length].
        folder: checkpoints go to `folder/models/MODEL/REVISION`.
        size: a demo size, or its name.

    Returns:
        The checkpoints, models from the smallest to the largest, steps ascending.

    Raises:
        MemtaxError: a training was killed.
    """
    settings = size_named(size) if isinstance(size, str) else size
    models = Path(folder) / "models"
    digests = {shape: fingerprint(tokens, shape, settings, precision()) for shape in settings.models}
    waiting = [shape for shape in settings.models if finished(models / shape.name, digests[shape]) is None]
    for shape in settings.models:
        if shape not in waiting:
            print(f"  {shape.name} is already trained", flush=True)
    if waiting:
        _train_side_by_side(tokens, waiting, settings, models, digests)
    checkpoints: list[TrainedCheckpoint] = []
    for shape in settings.models:
        kept = finished(models / shape.name, digests[shape])
        if kept is None:
            raise MemtaxError(f"{models / shape.name} changed while its model was trained: run the demo again")
        checkpoints += kept
    return checkpoints


def _train_side_by_side(
    tokens: np.ndarray,
    shapes: list[ModelShape],
    size: DemoSize,
    models: Path,
    digests: dict[ModelShape, str],
) -> None:
    # Spawned, not forked: this process may hold DuckDB's and torch's threads, which a fork would leave half alive.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(shapes), context, initializer=_die_when_interrupted) as pool:
        trainings = [pool.submit(train, tokens, shape, size, models / shape.name, digests[shape]) for shape in shapes]
        try:
            for training in trainings:
                training.result()
        except BrokenProcessPool as error:
            raise MemtaxError("a training was killed (was there too little memory?): run the demo again") from error


def _die_when_interrupted() -> None:
    """Ctrl-C reaches the trainings too: they end without a traceback of their own, and the demo says what happened."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
