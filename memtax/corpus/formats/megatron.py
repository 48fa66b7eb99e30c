"""GPT-NeoX / Megatron memory-mapped pairs: `.bin` with the tokens, `.idx` with where each sequence lies.

The `.idx`, little endian: magic (9 bytes), version u64 = 1, dtype code u8, sequences u64, document entries u64, sizes
int32[sequences] (tokens), pointers int64[sequences] (bytes), document entries int64[…].
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memtax.corpus.formats.raw_bin import MappedSource, token_parts
from memtax.corpus.mapped import MappedTokens
from memtax.corpus.sequence_index import FixedIndex, RaggedIndex, SequenceIndex
from memtax.corpus.source import SourceOptions
from memtax.errors import SourceError

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
HEADER = struct.Struct("<9sQBQQ")
DTYPES = {1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float32", 7: "float64", 8: "uint16"}
CHECKED_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class IndexFile:
    """The header of an `.idx`, and where its arrays begin (bytes)."""

    path: Path
    dtype: np.dtype
    n_sequences: int
    sizes_at: int
    pointers_at: int


def open_source(paths: Sequence[Path], options: SourceOptions, format_name: str) -> MappedSource:
    """Open one `.idx` and the `.bin` it describes, which may be in several parts (given in order).

    Raises:
        SourceError: not exactly one index, a damaged index, or one that does not describe these tokens.
    """
    bins, index_path = _sort_out(paths)
    header = read_index_header(index_path)
    parts = token_parts(bins, header.dtype, header.dtype.name)
    n_bytes = sum(part.n_tokens for part in parts) * header.dtype.itemsize
    index = _check_index(header, n_bytes, bins)
    if options.sequence_length is not None and not index.shortest == index.longest == options.sequence_length:
        raise SourceError(
            f"{index_path} lists sequences of {index.shortest:,} to {index.longest:,} tokens, not of "
            f"--sequence-length {options.sequence_length:,}; leave --sequence-length out"
        )
    return MappedSource("mmap", [*bins, index_path], {"format": "mmap"}, MappedTokens(parts, header.dtype, index))


def read_index_header(path: Path) -> IndexFile:
    """Read an `.idx` file's header.

    Raises:
        SourceError: magic, version, dtype or length are not as they must be.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEADER.size)
    if len(head) < HEADER.size or not head.startswith(MAGIC):
        raise SourceError(
            f"{path} begins with {head[:9]!r}, expected {MAGIC!r}: it is not the index of a GPT-NeoX or Megatron mmap "
            "data set; if the .bin is raw tokens, say --format bin"
        )
    _, version, code, n_sequences, n_documents = HEADER.unpack(head)
    if version != VERSION:
        raise SourceError(
            f"{path} is of index version {version}, expected {VERSION}; convert it with the tools that made it"
        )
    if code not in DTYPES:
        raise SourceError(f"{path} has dtype code {code}, expected one of {sorted(DTYPES)}; the index is damaged")
    dtype = np.dtype(DTYPES[code]).newbyteorder("<")
    if dtype.kind == "f":
        raise SourceError(f"{path} says that its tokens are {DTYPES[code]} (code {code}); token ids must be integers")
    if n_sequences == 0:
        raise SourceError(f"{path} lists no sequences; it may not have been written completely")
    expected = HEADER.size + 12 * n_sequences + 8 * n_documents
    if size != expected:
        raise SourceError(
            f"{path} has {size:,} bytes, expected {expected:,} for {n_sequences:,} sequences and {n_documents:,} "
            "document entries; it is truncated or damaged"
        )
    return IndexFile(path, dtype, n_sequences, HEADER.size, HEADER.size + 4 * n_sequences)


def open_index(header: IndexFile) -> SequenceIndex:
    """The index as bounds of sequences; where all have one length, nothing stays mapped."""
    ragged = RaggedIndex(header.path, header.n_sequences, header.sizes_at, header.pointers_at, header.dtype.itemsize)
    if ragged.shortest == ragged.longest and ragged.shortest > 0:
        return FixedIndex(header.n_sequences, ragged.shortest)
    return ragged


def _sort_out(paths: Sequence[Path]) -> tuple[list[Path], Path]:
    indexes = [path for path in paths if path.suffix == ".idx"]
    bins = [path for path in paths if path.suffix != ".idx"]
    if len(indexes) > 1:
        raise SourceError(
            f"got {len(indexes)} .idx files; land each pair in a call of its own, the further ones with --append"
        )
    if not indexes:
        indexes = [_sibling(bins[0], ".idx")]
        bins = [path if path.suffix == ".bin" else _sibling(path, ".bin") for path in bins]
    elif not bins:
        bins = [_sibling(indexes[0], ".bin")]
    for path in (*bins, indexes[0]):
        if not path.is_file():
            raise SourceError(
                f"{path} does not exist; an mmap data set is one .idx and its .bin, or the .bin's parts in order"
            )
        if path.stat().st_size == 0:
            raise SourceError(f"{path} is empty; it may not have been downloaded completely")
    return bins, indexes[0]


def _sibling(path: Path, suffix: str) -> Path:
    # A prefix may itself hold a dot ("data.v1"), so only the two known suffixes are taken off.
    stem = path.name.removesuffix(".bin").removesuffix(".idx")
    return path.with_name(stem + suffix)


def _check_index(header: IndexFile, n_bytes: int, bins: Sequence[Path]) -> SequenceIndex:
    """Hold sizes and pointers to the contract (back to back from byte 0 to the end), a slice at a time."""
    sizes = np.memmap(header.path, "<i4", "r", header.sizes_at, (header.n_sequences,))
    pointers = np.memmap(header.path, "<i8", "r", header.pointers_at, (header.n_sequences,))
    expected = 0
    for first in range(0, header.n_sequences, CHECKED_AT_ONCE):
        size = np.asarray(sizes[first : first + CHECKED_AT_ONCE], np.int64)
        pointer = np.asarray(pointers[first : first + CHECKED_AT_ONCE])
        if (size < 0).any():
            row = int(np.argmax(size < 0))
            raise SourceError(f"{header.path} gives sequence {first + row} a size of {size[row]} tokens; it is damaged")
        ends = expected + np.cumsum(size) * header.dtype.itemsize
        begins = np.concatenate(([expected], ends[:-1]))
        if (begins != pointer).any():
            row = int(np.argmax(begins != pointer))
            raise SourceError(
                f"{header.path} puts sequence {first + row} at byte {pointer[row]:,}, expected {begins[row]:,}, where "
                "the one before it ends; it is damaged, or not an index of sequences that lie back to back"
            )
        expected = int(ends[-1])
    if expected != n_bytes:
        what = str(bins[0]) if len(bins) == 1 else f"{len(bins)} parts ({bins[0].name} … {bins[-1].name})"
        why = "truncated, or a part is missing" if n_bytes < expected else "too long, or the .idx is of another .bin"
        raise SourceError(
            f"{header.path} describes {expected:,} bytes of tokens, but {what} {'has' if len(bins) == 1 else 'have'} "
            f"{n_bytes:,}; the tokens are {why}"
        )
    if expected == 0:
        raise SourceError(f"{header.path} lists only empty sequences; there is nothing to land")
    return open_index(header)
