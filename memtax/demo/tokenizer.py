"""Trains the demo's byte-pair tokenizer on the demo's own documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from memtax.demo.corpus import DOCUMENTS
from memtax.demo.sizes import END_OF_DOCUMENT, size_named
from memtax.errors import SourceError

TOKENIZER = "tokenizer.json"


def train_tokenizer(folder: Path | str, size: str) -> Path:
    """Train on the documents that `build_corpus` left in `folder`, and write `tokenizer.json` beside them.

    Byte-level, so that every text comes back exactly; each digit is a token of its own, so that counters keep their
    places and a pattern of numbers looks the same whatever the numbers are. The end-of-document token is id 0.

    Raises:
        SourceError: there are no documents, or too few for the vocabulary.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    folder = Path(folder)
    documents = folder / DOCUMENTS
    if not documents.is_file():
        raise SourceError(f"{documents} is not there: build the demo's corpus before its tokenizer")
    settings = size_named(size)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=[END_OF_DOCUMENT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(documents), trainer)
    if tokenizer.get_vocab_size() != settings.vocabulary:
        raise SourceError(
            f"the demo's documents give {tokenizer.get_vocab_size()} tokens, and its models expect "
            f"{settings.vocabulary}: too little text is installed"
        )
    part = folder / (TOKENIZER + ".part")
    tokenizer.save(str(part))
    return part.replace(folder / TOKENIZER)


def _texts(documents: Path) -> Iterator[str]:
    with documents.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]
