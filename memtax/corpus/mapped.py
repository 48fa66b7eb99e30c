"""Tokens that lie flat in one or several files: mapped a batch at a time, never read whole.

The files are parts of one stream of tokens, so a sequence may begin in one and end in the next. Each batch has a
mapping of its own that goes when the batch is dropped: memory stays flat whatever the files' size.
"""

from __future__ import annotations

import mmap
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from io import FileIO
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from memtax.corpus.batch import TokenBatch
from memtax.corpus.sequence_index import SequenceIndex

BATCH_BYTES = 4 << 20
# Asked for beyond each batch of a scan: a mapping alone reads ahead too little to keep a disk busy.
READ_AHEAD_BYTES = 16 << 20


@dataclass(frozen=True)
class TokenPart:
    """One file of the stream.

    Attributes:
        path: the file.
        data_offset: bytes before its first token.
        n_tokens: how many tokens it holds.
    """

    path: Path
    data_offset: int
    n_tokens: int


@dataclass(frozen=True)
class MappedTokens:
    """A stream of tokens in files, cut into sequences.

    Attributes:
        parts: the files, in order.
        dtype: the tokens' type in the files.
        index: where each sequence begins and ends.
    """

    parts: tuple[TokenPart, ...]
    dtype: np.dtype
    index: SequenceIndex

    @property
    def n_sequences(self) -> int:
        """How many sequences the stream holds."""
        return len(self.index)

    @property
    def n_tokens(self) -> int:
        """How many tokens the sequences hold."""
        return self.index.n_tokens

    @cached_property
    def _part_starts(self) -> list[int]:
        return [0, *accumulate(part.n_tokens for part in self.parts)]

    def batches(self, first: int = 0, last: int | None = None) -> Iterator[TokenBatch]:
        """Sequences `first` … `last` (exclusive) in order, in batches of about BATCH_BYTES.

        A batch within one file is a view of its mapping; one that straddles two is copied.
        """
        last = self.n_sequences if last is None else last
        with ExitStack() as stack:
            files = [stack.enter_context(FileIO(part.path)) for part in self.parts]
            while first < last:
                count = self.index.rows_within(first, max(1, BATCH_BYTES // self.dtype.itemsize), last)
                offsets = self.index.bounds(first, count)
                start, end = int(offsets[0]), int(offsets[-1])
                part = self._part_of(start)
                if start < self._part_starts[part + 1] < end:
                    # Stop before the sequence that runs into the next file; that one goes alone, as a copy.
                    whole = int(np.searchsorted(offsets, self._part_starts[part + 1], side="right")) - 1
                    offsets = offsets[: max(whole, 1) + 1]
                    end = int(offsets[-1])
                values = self._tokens(files, start, end)
                yield TokenBatch(values, offsets - start)
                first += len(offsets) - 1

    def sequence(self, row: int) -> npt.NDArray[np.integer]:
        """The tokens of one sequence, as a copy."""
        start, end = (int(bound) for bound in self.index.bounds(row, 1))
        with ExitStack() as stack:
            files = [stack.enter_context(FileIO(part.path)) for part in self.parts]
            return self._tokens(files, start, end, scattered=True).copy()

    def windows(
        self, rows: npt.NDArray[np.int64], token_offsets: npt.NDArray[np.int64], length: int
    ) -> npt.NDArray[np.uint32]:
        """(n, length) tokens from `token_offsets[i]` of sequence `rows[i]`; each must fit its sequence."""
        starts = self.index.starts(rows) + token_offsets
        out = np.empty((len(rows), length), np.uint32)
        parts = np.searchsorted(self._part_starts, starts, side="right") - 1
        steps = np.arange(length)
        for part, details in enumerate(self.parts):
            here = np.flatnonzero(parts == part)
            if not len(here):
                continue
            inside = here[starts[here] + length <= self._part_starts[part + 1]]
            with FileIO(details.path) as file:
                tokens = _map(file, details.data_offset, details.n_tokens, self.dtype, scattered=True)
            out[inside] = tokens[(starts[inside] - self._part_starts[part])[:, None] + steps]
            for row in np.setdiff1d(here, inside):
                out[row] = self._span(int(starts[row]), int(starts[row]) + length)
        return out

    def _span(self, start: int, end: int) -> npt.NDArray[np.integer]:
        with ExitStack() as stack:
            files = [stack.enter_context(FileIO(part.path)) for part in self.parts]
            return self._tokens(files, start, end, scattered=True)

    def _part_of(self, token: int) -> int:
        return min(bisect_right(self._part_starts, token) - 1, len(self.parts) - 1)

    def _tokens(
        self, files: Sequence[FileIO], start: int, end: int, *, scattered: bool = False
    ) -> npt.NDArray[np.integer]:
        """Tokens `start` … `end` of the stream: a view where one file holds them, else a copy."""
        if start == end:
            return np.empty(0, self.dtype)
        part, pieces = self._part_of(start), []
        while start < end:
            stop = min(end, self._part_starts[part + 1])
            if stop > start:
                first_byte = self.parts[part].data_offset + (start - self._part_starts[part]) * self.dtype.itemsize
                pieces.append(_map(files[part], first_byte, stop - start, self.dtype, scattered=scattered))
            start, part = stop, part + 1
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _map(file: FileIO, first_byte: int, count: int, dtype: np.dtype, *, scattered: bool) -> npt.NDArray[np.integer]:
    page = first_byte - first_byte % mmap.ALLOCATIONGRANULARITY
    lead = first_byte - page
    mapping = mmap.mmap(file.fileno(), lead + count * dtype.itemsize, access=mmap.ACCESS_READ, offset=page)
    if scattered and hasattr(mmap, "MADV_RANDOM"):
        mapping.madvise(mmap.MADV_RANDOM)  # reading ahead would fetch what nobody asked for
    if not scattered and hasattr(os, "posix_fadvise"):
        wanted = count * dtype.itemsize + READ_AHEAD_BYTES
        os.posix_fadvise(file.fileno(), first_byte, wanted, os.POSIX_FADV_WILLNEED)
    return np.frombuffer(mapping, dtype, count, lead)
