"""Where the sequences of a flat stream of tokens begin: at equal steps, or as a list of lengths says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


class SequenceIndex(ABC):
    """Bounds of sequences in a stream of tokens; sequences lie back to back from token 0."""

    @abstractmethod
    def __len__(self) -> int:
        """How many sequences there are."""

    @property
    @abstractmethod
    def n_tokens(self) -> int:
        """How many tokens they hold together."""

    @property
    @abstractmethod
    def shortest(self) -> int:
        """Tokens of the shortest sequence."""

    @property
    @abstractmethod
    def longest(self) -> int:
        """Tokens of the longest sequence."""

    @abstractmethod
    def bounds(self, first: int, count: int) -> npt.NDArray[np.int64]:
        """(count + 1,) the first token of each of `count` sequences from `first`, and the end of the last."""

    @abstractmethod
    def starts(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """(n,) the first token of each of these sequences."""

    @abstractmethod
    def lengths(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """(n,) the tokens of each of these sequences."""

    @abstractmethod
    def rows_within(self, first: int, tokens: int, last: int) -> int:
        """How many sequences from `first` (before `last`) fit in `tokens` tokens; at least one."""

    @abstractmethod
    def at_least(self, length: int) -> npt.NDArray[np.int64]:
        """The rows of the sequences of at least `length` tokens, ascending."""


@dataclass(frozen=True)
class FixedIndex(SequenceIndex):
    """`n_sequences` sequences of `length` tokens each."""

    n_sequences: int
    length: int

    def __len__(self) -> int:
        return self.n_sequences

    @property
    def n_tokens(self) -> int:
        """See SequenceIndex."""
        return self.n_sequences * self.length

    @property
    def shortest(self) -> int:
        """See SequenceIndex."""
        return self.length

    @property
    def longest(self) -> int:
        """See SequenceIndex."""
        return self.length

    def bounds(self, first: int, count: int) -> npt.NDArray[np.int64]:
        """See SequenceIndex."""
        return np.arange(first, first + count + 1, dtype=np.int64) * self.length

    def starts(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """See SequenceIndex."""
        return rows.astype(np.int64) * self.length

    def lengths(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """See SequenceIndex."""
        return np.full(len(rows), self.length, np.int64)

    def rows_within(self, first: int, tokens: int, last: int) -> int:
        """See SequenceIndex."""
        return max(1, min(last - first, tokens // self.length))

    def at_least(self, length: int) -> npt.NDArray[np.int64]:
        """See SequenceIndex."""
        return np.arange(self.n_sequences if length <= self.length else 0, dtype=np.int64)


class RaggedIndex(SequenceIndex):
    """Sequences of any lengths, as an `.idx` file lists them; its arrays stay mapped."""

    def __init__(self, path: Path, n_sequences: int, sizes_at: int, pointers_at: int, itemsize: int) -> None:
        """Map int32[n] sizes (tokens) and int64[n] pointers (bytes, `itemsize` a token) at these bytes of `path`."""
        self.path, self.sizes_at, self.pointers_at = path, sizes_at, pointers_at
        self._sizes = np.memmap(path, "<i4", "r", sizes_at, (n_sequences,))
        self._pointers = np.memmap(path, "<i8", "r", pointers_at, (n_sequences,))
        self._itemsize = itemsize

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def n_tokens(self) -> int:
        """See SequenceIndex."""
        return int(self._pointers[-1]) // self._itemsize + int(self._sizes[-1])

    @property
    def shortest(self) -> int:
        """See SequenceIndex."""
        return int(self._sizes.min())

    @property
    def longest(self) -> int:
        """See SequenceIndex."""
        return int(self._sizes.max())

    def bounds(self, first: int, count: int) -> npt.NDArray[np.int64]:
        """See SequenceIndex."""
        out = np.empty(count + 1, np.int64)
        out[:-1] = self._pointers[first : first + count]
        out[:-1] //= self._itemsize
        last = first + count - 1
        out[-1] = self._pointers[last] // self._itemsize + self._sizes[last]
        return out

    def starts(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """See SequenceIndex."""
        return np.asarray(self._pointers[rows]) // self._itemsize

    def lengths(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """See SequenceIndex."""
        return np.asarray(self._sizes[rows], np.int64)

    def rows_within(self, first: int, tokens: int, last: int) -> int:
        """See SequenceIndex."""
        # Empty sequences cost offsets too, so a batch also has a bound on rows.
        ends = np.cumsum(self._sizes[first : min(last, first + 65_536)], dtype=np.int64)
        return max(1, int(np.searchsorted(ends, tokens, side="right")))

    def at_least(self, length: int) -> npt.NDArray[np.int64]:
        """See SequenceIndex."""
        return np.flatnonzero(self._sizes >= length).astype(np.int64)
