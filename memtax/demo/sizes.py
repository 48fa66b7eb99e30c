"""The two sizes of the demo: everything that decides how long it takes and what it finds."""

from __future__ import annotations

from dataclasses import dataclass

from memtax.demo import selection
from memtax.errors import ProjectError

END_OF_DOCUMENT = "<|endoftext|>"


@dataclass(frozen=True)
class ModelShape:
    """One GPT-NeoX model of the demo and how it is trained.

    Attributes:
        name: the model's name in the store.
        width: hidden size.
        layers: transformer layers.
        heads: attention heads.
        learning_rate: at its highest.
        epochs: passes over the corpus.
    """

    name: str
    width: int
    layers: int
    heads: int
    learning_rate: float
    epochs: int


@dataclass(frozen=True)
class DemoSize:
    """One size of the demo.

    Attributes:
        name: what `SIZE=` takes.
        corpus: the name of the corpus in the store.
        selection: the text that goes in.
        vocabulary: tokens of the tokenizer, the end-of-document token (id 0) among them.
        sequence_length: tokens of a packed sequence.
        sample: how many windows `memtax sample` draws; None takes every sequence.
        seed: of the corpus order, the sample and the training.
        batch: sequences per training step.
        checkpoints: the shares of training after which a model is kept.
        models: from the smallest to the largest.
    """

    name: str
    corpus: str
    selection: selection.Selection
    vocabulary: int
    sequence_length: int
    sample: int | None
    seed: int
    batch: int
    checkpoints: tuple[float, ...]
    models: tuple[ModelShape, ...]


SIZES = {
    "full": DemoSize(
        name="full",
        corpus="demo",
        selection=selection.FULL,
        vocabulary=4096,
        sequence_length=64,
        sample=2_400,
        seed=1024,
        batch=32,
        checkpoints=(0.25, 0.5, 1.0),
        models=(
            ModelShape("demo-small", 96, 2, 3, 4e-3, 6),
            ModelShape("demo-large", 192, 4, 3, 3e-3, 6),
        ),
    ),
    "small": DemoSize(
        name="small",
        corpus="demo",
        selection=selection.SMALL,
        vocabulary=1024,
        sequence_length=64,
        sample=400,
        seed=1024,
        batch=16,
        checkpoints=(0.25, 0.5, 1.0),
        models=(
            ModelShape("demo-small", 32, 1, 1, 1e-2, 4),
            ModelShape("demo-large", 96, 2, 2, 6e-3, 9),
        ),
    ),
}


def size_named(name: str) -> DemoSize:
    """The size `name`.

    Raises:
        ProjectError: there is no such size.
    """
    if name not in SIZES:
        raise ProjectError(f"there is no demo size {name!r}: use SIZE={' or SIZE='.join(SIZES)}")
    return SIZES[name]
