"""How far a text compresses, character by character: the optimal code, and the measure that the paper published.

Both functions look at a text as a bag of characters (Unicode code points) and answer in mean bits per character.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udf.registry import udf


@udf([pa.string()], pa.float64())
def huffman_code_length(texts: pa.Array) -> pa.Array:
    """Mean bits per character of an optimal prefix code (Huffman 1952) over the characters of each text.

    A text with a single distinct character takes 1 bit per character: a prefix code spends at least one bit on a
    symbol. Empty text is 0. NULL stays NULL. Otherwise entropy ≤ length < entropy + 1.
    """
    symbols = _symbol_counts(texts)
    bits = np.zeros(len(texts), dtype=np.int64)
    distinct = np.diff(symbols.starts)
    bits[distinct == 1] = symbols.lengths[distinct == 1]
    # Rows are taken in groups of like alphabet, so that padding to a rectangle at most doubles the work.
    size_class = np.ceil(np.log2(np.maximum(distinct, 1))).astype(np.int64)
    for size in np.unique(size_class[distinct > 1]):
        rows = np.flatnonzero((size_class == size) & (distinct > 1))
        bits[rows] = _huffman_bits(symbols, rows)
    return _per_character(bits, symbols.lengths, texts)


@udf([pa.string()], pa.float64())
def paper_huffman_coding_length(texts: pa.Array) -> pa.Array:
    """The column `huffman_coding_length` of the paper's tables, in bits per character, fault included.

    It is the length of the Shannon code, not of a Huffman code: a character of probability p gets ⌈-log2 p⌉ bits, so
    it is never less than `huffman_code_length` but where the text has a single distinct character, which costs 0 here.
    Empty text is 0. NULL stays NULL.
    """
    symbols = _symbol_counts(texts)
    row = np.repeat(np.arange(len(texts)), np.diff(symbols.starts))
    # ⌈log2(n / c)⌉ in whole numbers: the bit length of ⌈n / c⌉ - 1. frexp's exponent is that bit length.
    ceiling = -(-symbols.lengths[row] // symbols.counts)
    code_length = np.frexp((ceiling - 1).astype(np.float64))[1]
    bits = np.bincount(row, weights=symbols.counts * code_length, minlength=len(texts))
    return _per_character(bits, symbols.lengths, texts)


class _SymbolCounts(NamedTuple):
    """The characters of every text of a batch, counted.

    Attributes:
        starts: row r has `counts[starts[r]:starts[r + 1]]`, ascending.
        counts: how often each distinct character of the row occurs.
        lengths: characters of each row; 0 for NULL.
    """

    starts: np.ndarray
    counts: np.ndarray
    lengths: np.ndarray


def _symbol_counts(texts: pa.Array) -> _SymbolCounts:
    rows = len(texts)
    # One value buffer without gaps: NULL rows and slices may leave bytes that belong to no row.
    filled = texts.cast(pa.large_string()).fill_null("")
    offsets = np.frombuffer(filled.buffers()[1], dtype=np.int64, count=filled.offset + rows + 1)[filled.offset :]
    buffer = filled.buffers()[2]
    data = memoryview(buffer)[int(offsets[0]) : int(offsets[-1])] if buffer is not None else memoryview(b"")
    utf8 = np.frombuffer(data, dtype=np.uint8)
    code_points = np.frombuffer(bytes(data).decode("utf-8").encode("utf-32-le"), dtype=np.uint32)
    # Every byte of UTF-8 that is not a continuation (10xxxxxx) begins a character.
    characters_before = np.concatenate([[0], np.cumsum((utf8 & 0xC0) != 0x80)])
    lengths = np.diff(characters_before[offsets - offsets[0]]).astype(np.int64)
    # 21 bits hold every code point, so a (row, character) pair is one sortable number.
    row_of = np.repeat(np.arange(rows, dtype=np.int64), lengths)
    pairs, counts = np.unique((row_of << 21) | code_points, return_counts=True)
    row = pairs >> 21
    order = np.lexsort((counts, row))
    starts = np.searchsorted(row, np.arange(rows + 1))
    return _SymbolCounts(starts, counts[order].astype(np.int64), lengths)


def _huffman_bits(symbols: _SymbolCounts, rows: np.ndarray) -> np.ndarray:
    """Total bits of the Huffman code of each of `rows` (two or more symbols each): the sum of all inner nodes' weights.

    With ascending leaves, merged nodes come out ascending too (van Leeuwen 1976), so two queues replace the heap, and
    a step can be taken for all rows at once.
    """
    distinct = np.diff(symbols.starts)[rows]
    # The largest alphabets first: the rows that still have something to merge are then always a prefix.
    order = np.argsort(-distinct, kind="stable")
    rows, distinct = rows[order], distinct[order]
    widest = int(distinct[0])
    never = np.iinfo(np.int64).max
    leaves = np.full((len(rows), widest + 1), never)
    present = np.arange(widest) < distinct[:, None]
    source = symbols.starts[rows][:, None] + np.arange(widest)
    leaves[:, :widest][present] = symbols.counts[source[present]]
    merged = np.full((len(rows), widest + 1), never)
    next_leaf, next_merged = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    total = np.zeros(len(rows), dtype=np.int64)
    for step in range(widest - 1):
        active = int(np.searchsorted(-distinct, -(step + 1)))
        index = np.arange(active)
        weight = np.zeros(active, dtype=np.int64)
        for _ in range(2):
            leaf, node = leaves[index, next_leaf[:active]], merged[index, next_merged[:active]]
            take_leaf = leaf <= node
            weight += np.where(take_leaf, leaf, node)
            next_leaf[:active] += take_leaf
            next_merged[:active] += ~take_leaf
        merged[:active, step] = weight
        total[:active] += weight
    result = np.empty_like(total)
    result[order] = total
    return result


def _per_character(bits: np.ndarray, lengths: np.ndarray, texts: pa.Array) -> pa.Array:
    mean = bits / np.maximum(lengths, 1)
    null = np.asarray(texts.is_null())
    return pa.array(mean, type=pa.float64(), mask=null)
