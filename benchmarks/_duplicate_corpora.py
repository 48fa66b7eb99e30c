"""The corpora of benchmarks/duplicates.py: random tokens, and the same with what makes duplicates in practice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _measure import freshly_mapped

LENGTH = 2049
WINDOW = 32
VOCABULARY = 50_000


def matrix(corpus: Path) -> np.ndarray:
    """The corpus by sequence."""
    return freshly_mapped(corpus).reshape(-1, LENGTH)


def make_plain(folder: Path, n: int) -> Path:
    """A corpus of n sequences of random tokens; one that is there already is used."""
    path = folder / f"plain_{n}.bin"
    if not _is_there(path, n):
        np.random.default_rng(0).integers(0, VOCABULARY, (n, LENGTH), dtype=np.uint16).tofile(path)
    return path


def make_repeated(folder: Path, n: int) -> Path:
    """One of which about 8 % of all windows equal tokens[32:64] of some sequence.

    It has what makes hits in practice: repeated tokens (constant, and of periods 2 to 12), and documents of which many
    sequences are shifted cuttings.
    """
    path = folder / f"repeated_{n}.bin"
    if _is_there(path, n):
        return path
    random = np.random.default_rng(0)
    tokens = random.integers(0, VOCABULARY, (n, LENGTH), dtype=np.uint16)
    order, at = random.permutation(n), 0
    for period, share in ((1, 0.05), (2, 0.015), (3, 0.015), (5, 0.015), (8, 0.015), (12, 0.015)):
        for row in order[at : at + int(share * n)]:
            tokens[row] = np.resize(random.integers(0, VOCABULARY, period, dtype=np.uint16), LENGTH)
        at += int(share * n)
    while at + 64 <= 0.85 * n:
        document = random.integers(0, VOCABULARY, LENGTH + 24 * 64, dtype=np.uint16)
        for number, row in enumerate(order[at : at + 64]):
            tokens[row] = document[24 * number : 24 * number + LENGTH]
        at += 64
    tokens.tofile(path)
    return path


def _is_there(path: Path, n: int) -> bool:
    return path.exists() and path.stat().st_size == n * LENGTH * 2
