"""`.npy`: a 2-D array of integers, one sequence a row; several files are stacked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from memtax.corpus.formats.raw_bin import MappedSource
from memtax.corpus.mapped import MappedTokens, TokenPart
from memtax.corpus.sequence_index import FixedIndex
from memtax.corpus.source import SourceOptions
from memtax.errors import SourceError


def open_source(paths: Sequence[Path], options: SourceOptions, format_name: str) -> MappedSource:
    """Open `.npy` files of one type and row length as one stream.

    Raises:
        SourceError: not a whole 2-D array of little-endian integers in C order, or the files do not stack.
    """
    parts, length, dtype = [], options.sequence_length, None
    for path in paths:
        shape, found, data_offset = _read_header(path)
        if length is not None and shape[1] != length:
            given = f"--sequence-length {length:,}" if path == paths[0] else f"{length:,} as in {paths[0]}"
            raise SourceError(f"{path} has rows of {shape[1]:,} tokens, expected {given}")
        if dtype is not None and found != dtype:
            raise SourceError(f"{path} holds {found}, but {paths[0]} {dtype}; save all parts with one type")
        length, dtype = shape[1], found
        parts.append(TokenPart(path, data_offset, shape[0] * shape[1]))
    assert length is not None and dtype is not None
    n_sequences = sum(part.n_tokens for part in parts) // length
    return MappedSource(
        "npy", paths, {"format": "npy"}, MappedTokens(tuple(parts), dtype, FixedIndex(n_sequences, length))
    )


def _read_header(path: Path) -> tuple[tuple[int, int], np.dtype, int]:
    with path.open("rb") as file:
        try:
            version = npy_format.read_magic(file)
            read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, fortran, dtype = read(file)
        except ValueError as error:
            raise SourceError(f"{path} is not a .npy file: {error}") from error
        data_offset = file.tell()
    if len(shape) != 2:
        raise SourceError(f"{path} holds an array of shape {shape}, expected two dimensions: sequences × tokens")
    if 0 in shape:
        raise SourceError(f"{path} holds an array of shape {shape}: there is nothing to land")
    if dtype.kind not in "iu":
        raise SourceError(f"{path} holds {dtype}; token ids must be integers: save it again with .astype('uint16')")
    if fortran and 1 not in shape:
        raise SourceError(f"{path} is in Fortran order; save it again with numpy.ascontiguousarray")
    if dtype.byteorder == ">":
        raise SourceError(
            f"{path} is big-endian ({dtype.str}); save it again with .astype('{dtype.str.replace('>', '<')}')"
        )
    expected = data_offset + shape[0] * shape[1] * dtype.itemsize
    size = path.stat().st_size
    if size != expected:
        raise SourceError(
            f"{path} has {size:,} bytes, expected {expected:,} for {shape[0]:,} × {shape[1]:,} {dtype}; it is "
            "truncated or damaged"
        )
    return shape, dtype, data_offset
