"""What every file format turns into: token batches, and the facts that landing needs before the first one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memtax.corpus.batch import TOKEN_TYPES, TokenBatch
from memtax.corpus.mapped import MappedTokens
from memtax.corpus.tokenizer import CorpusTokenizer

DEFAULT_SEQUENCE_LENGTH = 2049  # Pythia's: 2,048 inputs and one more token for the shifted target


@dataclass(frozen=True)
class SourceOptions:
    """What a user may say about the files; None leaves it to the files or to the default.

    Attributes:
        dtype: 'uint16' or 'uint32': how a `.bin` is read, and how every format is stored.
        sequence_length: of a `.bin` and of packed text; of other formats, what their sequences must have.
        tokenizer: of the corpus; text needs it.
        text_field: the field of a JSONL document that holds its text.
        end_of_document: the token that follows each document of a text.
    """

    dtype: str | None = None
    sequence_length: int | None = None
    tokenizer: CorpusTokenizer | None = None
    text_field: str = "text"
    end_of_document: str | None = None


class Source(ABC):
    """Files of one format, opened and found sound as far as can be told without reading every token.

    Attributes:
        format: its name on the command line.
        paths: every file, absolute, in order.
        shape: what besides the files' bytes decides which sequences come out; part of the checksum.
        mapped: the tokens as they lie in the files, for formats that can be scanned in place; else None.
        share_read: how much of the files the batches so far have used up, 0 … 1.
        notes: after the last batch, what the user should know (tokens that were dropped, …).
    """

    format: str
    paths: tuple[Path, ...]
    shape: dict[str, str | int | None]
    mapped: MappedTokens | None = None
    share_read: float = 0.0
    notes: tuple[str, ...] = ()

    @abstractmethod
    def batches(self) -> Iterator[TokenBatch]:
        """The sequences in order; can be called again."""

    @abstractmethod
    def stored_type(self) -> np.dtype:
        """uint16 or uint32, whichever the source's own type or its largest id asks for (may read the tokens)."""

    def largest_id_type(self) -> np.dtype:
        """uint16 if all ids fit, else uint32: for sources whose type says nothing. Reads the tokens."""
        for batch in self.batches():
            if len(batch.values) and int(batch.values.max()) > np.iinfo(np.uint16).max:
                return TOKEN_TYPES["uint32"]
        return TOKEN_TYPES["uint16"]


def type_of_width(dtype: np.dtype) -> np.dtype | None:
    """The stored type that an integer type's width implies; None where it implies nothing (64 bits, signed 32)."""
    if dtype.itemsize <= 2:
        return TOKEN_TYPES["uint16"]
    if dtype.itemsize == 4 and dtype.kind == "u":
        return TOKEN_TYPES["uint32"]
    return None
