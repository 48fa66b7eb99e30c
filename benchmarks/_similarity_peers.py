"""Other ways to count similar vectors, as one would write them; vectors are of length 1, so that a product is a cosine.

Each takes queries and references, float32 [n, 384], and thresholds, and returns counts [queries, thresholds].
"""

from __future__ import annotations

import numpy as np

BLOCK = 8_192
Counts = np.ndarray


def float64(queries: np.ndarray, references: np.ndarray, thresholds: list[float]) -> Counts:
    """What all others are held to: float64 products, and norms."""
    counts = np.zeros((len(queries), len(thresholds)), dtype=np.int64)
    wide = queries.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1)[:, None]
    for begin in range(0, len(references), BLOCK):
        block = references[begin : begin + BLOCK].astype(np.float64)
        cosine = wide @ block.T / (norms * np.linalg.norm(block, axis=1))
        for level, threshold in enumerate(thresholds):
            counts[:, level] += (cosine >= threshold).sum(axis=1)
    return counts


def with_numpy(queries: np.ndarray, references: np.ndarray, thresholds: list[float]) -> Counts:
    """float32 products, a block of references at a time."""
    counts = np.zeros((len(queries), len(thresholds)), dtype=np.int64)
    for begin in range(0, len(references), BLOCK):
        cosine = queries @ references[begin : begin + BLOCK].T
        for level, threshold in enumerate(thresholds):
            counts[:, level] += np.count_nonzero(cosine >= np.float32(threshold), axis=1)
    return counts


def with_torch_loop(queries: np.ndarray, references: np.ndarray, thresholds: list[float]) -> Counts:
    """As the paper counts: a few queries at a time against all references, float32."""
    import torch

    ours, theirs = torch.from_numpy(queries), torch.from_numpy(references)
    counts = []
    for part in ours.split(32):
        cosine = part @ theirs.T
        counts.append(torch.stack([(cosine >= threshold).sum(1) for threshold in thresholds], 1))
    return torch.cat(counts).numpy()


def with_torch_bf16(queries: np.ndarray, references: np.ndarray, thresholds: list[float]) -> Counts:
    """Products of bfloat16, and float64 for those that rounding could bring to the other side of a threshold.

    |q.r - q'.r'| <= |q - q'| |r| + |q'| |r - r'|, and the sum and the result are rounded, too.
    """
    import torch

    counts = np.zeros((len(queries), len(thresholds)), dtype=np.int64)
    ours = torch.from_numpy(queries)
    low = ours.bfloat16()
    off = (ours - low.float()).norm(dim=1)
    for begin in range(0, len(references), BLOCK):
        block = references[begin : begin + BLOCK]
        theirs = torch.from_numpy(block)
        their_low = theirs.bfloat16()
        bound = off.max() + 1.01 * (theirs - their_low.float()).norm(dim=1).max() + 2**-8 + 1e-5
        cosine = low @ their_low.T
        for level, threshold in enumerate(thresholds):
            sure = cosine > threshold + bound
            counts[:, level] += sure.sum(1).numpy()
            rows, columns = ((cosine > threshold - bound) & ~sure).nonzero(as_tuple=True)
            a, b = queries[rows.numpy()].astype(np.float64), block[columns.numpy()].astype(np.float64)
            exact = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
            np.add.at(counts[:, level], rows.numpy()[exact >= threshold], 1)
    return counts


def with_faiss(queries: np.ndarray, references: np.ndarray, thresholds: list[float]) -> Counts:
    """faiss' range_search over all vectors; the index is made outside the time."""
    limits, similarities, _ = _faiss_index(references).range_search(queries, thresholds[0])
    limits = limits.astype(np.int64)
    counts = [np.diff(limits)]
    for threshold in thresholds[1:]:
        before = np.concatenate([[0], np.cumsum(similarities >= threshold)])
        counts.append(np.diff(before[limits]))
    return np.stack(counts, axis=1)


def numkong_products(queries: np.ndarray, references: np.ndarray, _thresholds: list[float]) -> None:
    """numkong's packed products of 8-bit codes, one thread, whose scores are written and not counted."""
    import numkong

    codes = np.clip(np.rint(queries * 500), -127, 127).astype(np.int8)
    for packed in _numkong_packed(references):
        numkong.dots_packed(codes, packed)


_cache: dict[tuple[str, int], object] = {}


def _faiss_index(references: np.ndarray):  # type: ignore[no-untyped-def]  # faiss has no types
    import faiss

    key = ("faiss", id(references))
    if key not in _cache:
        index = faiss.IndexFlatIP(references.shape[1])
        index.add(references)
        _cache[key] = index
    return _cache[key]


def _numkong_packed(references: np.ndarray):  # type: ignore[no-untyped-def]  # numkong has no types
    import numkong

    key = ("numkong", id(references))
    if key not in _cache:
        codes = np.clip(np.rint(references * 500), -127, 127).astype(np.int8)
        _cache[key] = [numkong.dots_pack(codes[begin : begin + 4096]) for begin in range(0, len(codes), 4096)]
    return _cache[key]
