"""Which vectors of a reference set are as similar to a query as some thresholds ask, and whose texts are near, too.

The cosine of two vectors is dot / (|a| |b|) in float64, from sums of products that are rounded once (as math.fsum has
it), of the stored float32 numbers; a zero vector is similar to nothing. Counts are exact: native code screens pairs by
8-bit codes with a proven bound, and decides what is near a threshold by that definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import numpy as np

from udf.errors import UdfError
from udf.settings import threads
from udf.similarity.reference_sets import Block, ReferenceSet

# Pairs that are in memory at once, 12 bytes each, and with their texts some hundred.
MOST_PAIRS = 2**18


@dataclass(frozen=True)
class TextBounds:
    """What a textual match has to keep: above < Levenshtein distance of the prompts < below, in characters."""

    above: int
    below: int


@dataclass(frozen=True)
class Query:
    """What is compared with a reference set.

    Attributes:
        vectors: float32 [n, 384], contiguous.
        texts: the prompts [n].
        own: int64 [n], the row of the reference set that is the query itself, or -1.
    """

    vectors: np.ndarray
    texts: list[str]
    own: np.ndarray


def count_matches(
    references: ReferenceSet, query: Query, thresholds: list[float], bounds: TextBounds
) -> tuple[np.ndarray, np.ndarray]:
    """Semantic and textual matches, int64 [n, thresholds] each.

    Matches are taken block by block and never held all at once, so that memory does not grow with their number. Between
    two blocks an interrupt is seen.

    Args:
        references: the set.
        query: n rows.
        thresholds: cosines, ascending.
        bounds: of the distance of texts.

    Raises:
        UdfError: rapidfuzz is not installed, or the thresholds are not cosines.
    """
    native = import_module("memtax_native._similarity")
    semantic = np.zeros((len(query.texts), len(thresholds)), dtype=np.int64)
    textual = np.zeros_like(semantic)
    if not query.texts:
        return semantic, textual
    try:
        queries = native.Queries(query.vectors)
        for block in references.blocks:
            own = np.where(
                (query.own >= block.first) & (query.own < block.first + len(block.vectors)), query.own - block.first, -1
            )
            counts, pairs = block.vectors.count(queries, thresholds, own, MOST_PAIRS, threads())
            semantic += counts
            if pairs is None:
                _count_texts_in_parts(block, query, own, thresholds, bounds, textual)
            else:
                _count_texts(block, query.texts, pairs, bounds, textual)
    except ValueError as error:
        raise UdfError(f"similar vectors cannot be counted: {error}") from error
    return semantic, textual


def _count_texts_in_parts(
    block: Block, query: Query, own: np.ndarray, thresholds: list[float], bounds: TextBounds, textual: np.ndarray
) -> None:
    """As `_count_texts` where the queries have too many matches in the block: half of them at a time."""
    native = import_module("memtax_native._similarity")
    parts = [(0, len(query.texts))]
    while parts:
        begin, end = parts.pop()
        middle = (begin + end) // 2
        if end - begin == len(query.texts) and end - begin > 1:
            parts += [(begin, middle), (middle, end)]
            continue
        queries = native.Queries(query.vectors[begin:end])
        # A single query has no more matches than the block has rows.
        _, pairs = block.vectors.count(queries, thresholds, own[begin:end], MOST_PAIRS, threads())
        if pairs is None:
            parts += [(begin, middle), (middle, end)]
        else:
            _count_texts(block, query.texts[begin:end], pairs, bounds, textual[begin:end])


def _count_texts(block: Block, texts: list[str], pairs: np.ndarray, bounds: TextBounds, textual: np.ndarray) -> None:
    """Add the pairs (query, reference, levels reached) whose texts are near to `textual` [queries, thresholds]."""
    if not len(pairs) or bounds.below <= 0:
        return
    try:
        from rapidfuzz.distance import Levenshtein
        from rapidfuzz.process import cpdist
    except ImportError as error:
        raise UdfError(f"textual matches need rapidfuzz ({error}): pip install 'memtax[similarity]'") from error
    rows, place = np.unique(pairs[:, 1], return_inverse=True)
    theirs = block.texts.take(rows).to_pylist()
    distances = cpdist(
        [texts[row] for row in pairs[:, 0].tolist()],
        [theirs[row] for row in place.tolist()],
        scorer=Levenshtein.distance,
        score_cutoff=bounds.below - 1,  # whatever is farther comes back as one more than that
        dtype=np.int64,
        workers=threads() or -1,
    )
    near = pairs[(distances > bounds.above) & (distances < bounds.below)]
    for level in range(textual.shape[1]):
        reached = near[near[:, 2] > level, 0]
        textual[:, level] += np.bincount(reached, minlength=len(textual))
