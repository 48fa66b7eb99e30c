"""What every function of this package means, in the plainest Python: slow, obvious, and what the fast ones are held to.

Sequences are lists of lists of token ids here, windows tuples of them. Nothing is hashed but for `ngram_hash`, whose
value is the point.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

Window = tuple[int, ...]


def distinct_windows(windows: Iterable[Sequence[int]]) -> set[Window]:
    """The windows that a query table of them holds."""
    return {tuple(window) for window in windows}


def scan(windows: Iterable[Sequence[int]], sequences: Sequence[Sequence[int]]) -> list[list[tuple[Window, int, int]]]:
    """For each sequence the distinct windows found in it, by first offset: (window, occurrences, first offset).

    Every offset from 0 to length - window length counts, overlapping ones too; no window crosses two sequences.
    """
    wanted = distinct_windows(windows)
    length = len(next(iter(wanted))) if wanted else 0
    found = []
    for sequence in sequences:
        occurrences: dict[Window, int] = {}
        first_offsets: dict[Window, int] = {}
        for offset in range(len(sequence) - length + 1) if wanted else ():
            window = tuple(sequence[offset : offset + length])
            if window in wanted:
                occurrences[window] = occurrences.get(window, 0) + 1
                first_offsets.setdefault(window, offset)
        found.append([(window, count, first_offsets[window]) for window, count in occurrences.items()])
    return found


def find(windows: Iterable[Sequence[int]], rows: Sequence[Sequence[int]]) -> list[bool]:
    """Whether each row is one of the windows."""
    wanted = distinct_windows(windows)
    return [tuple(row) in wanted for row in rows]


def count_tokens(values: Iterable[int], size: int | None = None) -> list[int]:
    """How often each token below `size` occurs; by default up to the largest there is."""
    counts = Counter(values)
    largest = max(counts, default=-1)
    if size is not None and largest >= size:
        raise ValueError(f"token {largest} is not below size {size}")
    return [counts[token] for token in range(largest + 1 if size is None else size)]


def ngram_hash(tokens: Sequence[int], start: int, length: int) -> int | None:
    """The documented hash of tokens[start:start + length]; None where there are not that many."""
    if start < 0 or length < 0 or start + length > len(tokens):
        return None
    modulus = 1 << 64
    hashed = length
    for token in tokens[start : start + length]:
        hashed = (hashed ^ token) * 0x9E3779B97F4A7C15 % modulus
        hashed ^= hashed >> 32
    hashed = hashed * 0xD6E8FEB86659FD93 % modulus
    return hashed ^ (hashed >> 32)


def ngram_equal(a: Sequence[int], b: Sequence[int]) -> bool:
    """Whether two runs of tokens are the same."""
    return list(a) == list(b)


def count_similar(
    queries: Sequence[Sequence[float]],
    references: Sequence[Sequence[float]],
    thresholds: Sequence[float],
    own: Sequence[int],
) -> list[list[int]]:
    """For each query and threshold, the references with cosine >= threshold, but for the query's own; any numbers.

    The cosine is dot / (|a| |b|) in float64, of sums that math.fsum rounds once. Zero vectors are similar to nothing.
    """

    def norm(vector: Sequence[float]) -> float:
        return math.sqrt(math.fsum(float(x) * float(x) for x in vector))

    norms = [norm(vector) for vector in references]
    counts = []
    for query, mine in zip(queries, own, strict=True):
        length, reached = norm(query), [0] * len(thresholds)
        for row, (reference, other) in enumerate(zip(references, norms, strict=True)):
            if row == mine or length == 0 or other == 0:
                continue
            dot = math.fsum(float(x) * float(y) for x, y in zip(query, reference, strict=True))
            for level, threshold in enumerate(thresholds):
                reached[level] += dot / (length * other) >= threshold
        counts.append(reached)
    return counts


def score_logits(logits: Sequence[float], target: int) -> tuple[float, bool]:
    """The log-softmax of the target in one row of logits, and whether it is the first of the largest ones.

    NaN and False where a logit is NaN or +infinity, or all are -infinity.
    """
    highest = max(logits)
    if any(math.isnan(logit) for logit in logits) or math.isinf(highest):
        return math.nan, False
    total = math.fsum(math.exp(logit - highest) for logit in logits)
    return logits[target] - highest - math.log(total), logits.index(highest) == target
