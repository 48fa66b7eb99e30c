"""Raw `.bin`: little-endian uint16 or uint32 tokens back to back, no header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from memtax.corpus.batch import TOKEN_TYPES, TokenBatch
from memtax.corpus.mapped import MappedTokens, TokenPart
from memtax.corpus.sequence_index import FixedIndex
from memtax.corpus.source import DEFAULT_SEQUENCE_LENGTH, Source, SourceOptions, type_of_width
from memtax.errors import SourceError


class MappedSource(Source):
    """Any source whose tokens lie flat in files."""

    def __init__(
        self, format_name: str, paths: Sequence[Path], shape: dict[str, str | int | None], mapped: MappedTokens
    ) -> None:
        self.format = format_name
        self.paths = tuple(paths)
        self.shape = shape
        self.mapped: MappedTokens = mapped

    def batches(self) -> Iterator[TokenBatch]:
        """See Source."""
        rows = 0
        for batch in self.mapped.batches():
            rows += len(batch)
            self.share_read = rows / self.mapped.n_sequences
            yield batch

    def stored_type(self) -> np.dtype:
        """See Source."""
        implied = type_of_width(self.mapped.dtype)
        return self.largest_id_type() if implied is None else implied


def open_source(paths: Sequence[Path], options: SourceOptions, format_name: str) -> MappedSource:
    """Open raw `.bin` files as one stream of fixed-length sequences.

    Raises:
        SourceError: the stream is not a whole number of sequences, or a file not a whole number of tokens.
    """
    length = options.sequence_length or DEFAULT_SEQUENCE_LENGTH
    name = options.dtype or "uint16"
    dtype = TOKEN_TYPES[name]
    parts = token_parts(paths, dtype, name)
    n_tokens = sum(part.n_tokens for part in parts)
    n_sequences, rest = divmod(n_tokens, length)
    if rest:
        what = str(paths[0]) if len(paths) == 1 else f"{paths[0]} … {paths[-1]} ({len(paths)} files)"
        raise SourceError(
            f"{what} holds {n_tokens:,} {name} tokens, which is {n_sequences:,} sequences of {length:,} and {rest:,} "
            "tokens more; it is truncated, or --sequence-length or --dtype is not what it was written with"
        )
    shape: dict[str, str | int | None] = {"format": "bin", "dtype": name, "sequence_length": length}
    return MappedSource("bin", paths, shape, MappedTokens(parts, dtype, FixedIndex(n_sequences, length)))


def token_parts(paths: Sequence[Path], dtype: np.dtype, name: str) -> tuple[TokenPart, ...]:
    """The files as parts of one stream.

    Raises:
        SourceError: a file is not a whole number of tokens.
    """
    parts = []
    for path in paths:
        size = path.stat().st_size
        if size % dtype.itemsize:
            raise SourceError(
                f"{path} has {size:,} bytes, which is not a whole number of {name} tokens of {dtype.itemsize} bytes; "
                "it is truncated, or of another dtype"
            )
        parts.append(TokenPart(path, 0, size // dtype.itemsize))
    return tuple(parts)
