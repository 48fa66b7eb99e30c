"""How many sequences of a reference set are like a sequence, in meaning and in wording.

`reference_sets.py` keeps the set in a file that SQL names by a handle, `matches.py` compares.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from udf.embedding import EMBEDDING
from udf.embedding.loading import DIMENSIONS
from udf.errors import UdfError
from udf.registry import constant, udf
from udf.similarity.matches import Query, TextBounds, count_matches
from udf.similarity.reference_sets import build_reference_set, open_set
from udf.token_rows import validity

__all__ = ["build_reference_set", "count_similar"]

MATCHES = pa.struct([("semantic_matches", pa.list_(pa.int64())), ("textual_matches", pa.list_(pa.int64()))])


@udf(
    [
        EMBEDDING,
        pa.string(),
        pa.string(),
        pa.int64(),
        pa.int32(),
        pa.string(),
        pa.list_(pa.float64()),
        pa.int32(),
        pa.int32(),
    ],
    MATCHES,
)
def count_similar(
    embeddings: pa.Array,
    prompt_texts: pa.Array,
    corpora: pa.Array,
    sequence_ids: pa.Array,
    token_offsets: pa.Array,
    handles: pa.Array,
    thresholds: pa.Array,
    distance_above: pa.Array,
    distance_below: pa.Array,
) -> pa.Array:
    """Count, for each sequence, the others of a reference set that are similar to it.

    A sequence never counts itself: the row of the set under its own corpus, sequence_id and token_offset is left out.

    Args:
        embeddings: FLOAT[384].
        prompt_texts: the prompts, compared character by character (Unicode code points).
        corpora, sequence_ids, token_offsets: the keys of the sequences.
        handles: the reference set, from `build_reference_set`; one value.
        thresholds: cosines from -1 to 1, ascending; one list.
        distance_above, distance_below: a textual match has above < Levenshtein distance < below; one value each.

    Returns:
        struct per row: semantic_matches, for each threshold the references with cosine >= threshold, and
        textual_matches, how many of those have a prompt that is near. NULL where embedding, prompt or handle is.

    Raises:
        UdfError: several handles, thresholds or bounds in one query, no such set, or a vector that is not finite.
    """
    handle = constant(handles, "count_similar", "handle")
    cosines = _constant_list(thresholds)
    above = constant(distance_above, "count_similar", "distance_above")
    below = constant(distance_below, "count_similar", "distance_below")
    if handle is None or cosines is None or above is None or below is None or len(embeddings) == 0:
        return pa.nulls(len(embeddings), MATCHES)
    present = np.ones(len(embeddings), dtype=bool)
    for column in (embeddings, prompt_texts, corpora, sequence_ids, token_offsets, handles):
        present &= validity(column)
    chosen = pa.array(present)
    references = open_set.get(str(handle))
    keys = (
        corpora.filter(chosen).to_pylist(),
        *(column.filter(chosen).to_numpy() for column in (sequence_ids, token_offsets)),
    )
    query = Query(
        _vectors(embeddings.filter(chosen)), prompt_texts.filter(chosen).to_pylist(), references.rows_of(*keys)
    )
    counted = count_matches(references, query, cosines, TextBounds(int(str(above)), int(str(below))))
    return pa.StructArray.from_arrays(
        [_lists(counts, present) for counts in counted], fields=list(MATCHES), mask=pa.array(~present)
    )


def _vectors(embeddings: pa.Array) -> np.ndarray:
    flat = embeddings.flatten()  # of rows that are there, so that nothing else lies between
    if flat.null_count:
        raise UdfError("count_similar() got a NULL inside a vector; a vector is 384 numbers")
    return np.ascontiguousarray(flat.to_numpy().reshape(-1, DIMENSIONS))


def _constant_list(thresholds: pa.Array) -> list[float] | None:
    given = {tuple(row) for row in thresholds.to_pylist() if row is not None}
    if len(given) > 1:
        raise UdfError(f"count_similar() needs one list of thresholds per query, and got {sorted(given)[:3]}")
    if not given:
        return None
    cosines = [float(value) for value in next(iter(given)) if value is not None]
    if not cosines or cosines != sorted(cosines) or not -1 <= cosines[0] <= cosines[-1] <= 1:
        raise UdfError(
            f"count_similar() got the thresholds {next(iter(given))}; expected cosines from -1 to 1, ascending"
        )
    return cosines


def _lists(counts: np.ndarray, present: np.ndarray) -> pa.Array:
    """Rows of `counts` as lists, and empty lists where a row is not present."""
    offsets = np.concatenate([[0], np.cumsum(present * counts.shape[1])]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(counts.reshape(-1), pa.int64()))
