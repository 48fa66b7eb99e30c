"""What a causal language model makes of a sequence: its loss, its perplexities, and how much of it it recites.

`folders.py` and `hub.py` find a model's files, `loading.py` keeps one model loaded, `scoring.py` runs it (one pass: the
log-probability and greedy agreement of every token) and `measures.py` turns that into the measures of a sequence.
"""

from __future__ import annotations

import os
from collections import defaultdict

import numpy as np
import pyarrow as pa

from udf.errors import UdfError
from udf.language_model.loading import using_model
from udf.language_model.measures import MEASURES, measure, to_arrow
from udf.language_model.scoring import score_tokens
from udf.registry import udf

BATCH_VARIABLE = "MEMTAX_BATCH_SIZE"
DEFAULT_BATCH_SIZE = 64

_TOKENS = pa.list_(pa.uint32())


@udf([_TOKENS, pa.string(), pa.string(), pa.int32(), pa.string()], MEASURES)
def score_continuation(
    tokens: pa.Array, location: pa.Array, revision: pa.Array, prompt_length: pa.Array, dtype: pa.Array
) -> pa.Array:
    """Score each sequence with a causal language model, in one teacher-forced pass.

    The model is loaded once and stays until another is asked for; rows are scored MEMTAX_BATCH_SIZE (64) at a time on
    MEMTAX_DEVICE ('auto': CUDA where there is one). Sequences of different lengths never share a batch, so nothing is
    padded.

    Args:
        tokens: token ids, `UINTEGER[]`; lengths may differ.
        location: a folder with config.json and safetensors, or a hub id.
        revision: of a hub id (NULL: 'main'); a folder is taken as it is.
        prompt_length: tokens of the prompt, at least 1; the rest is the continuation.
        dtype: 'float32' (also for NULL) or 'bfloat16'; log-softmax is float32 in both.

    Returns:
        struct per row, as `measures.py` defines: perplexities (1 is best), loss and log-probability (nats),
        greedy_match_length (continuation tokens before the first that greedy decoding misses), memorized (it misses
        none). NULL where tokens, location or prompt_length is; a struct of NULLs where the model's numbers are not
        finite.

    Raises:
        UdfError: the model cannot be loaded, a token id is beyond its vocabulary, a token is NULL, or prompt_length is
            below 1.
    """
    valid = _is_valid(tokens) & _is_valid(location) & _is_valid(prompt_length)
    table = np.full((len(tokens), len(MEASURES)), np.nan)
    offsets, values = _lists(tokens)
    lengths = np.diff(offsets)
    batch_size = _batch_size()
    groups = _groups(valid, location, revision, dtype, prompt_length, lengths)
    for (model_location, model_revision, model_dtype), parts in groups.items():
        with using_model(model_location, model_revision, model_dtype) as model:
            for (prompt, length), rows in parts.items():
                if prompt < 1:
                    raise UdfError(
                        f"score_continuation() got prompt_length {prompt}; expected 1 or more, as the first token of a "
                        "sequence is never predicted"
                    )
                matrix = values[offsets[rows][:, None] + np.arange(length)]
                table[rows] = measure(score_tokens(model, matrix, batch_size), prompt)
    return to_arrow(table, valid)


def _groups(
    valid: np.ndarray,
    location: pa.Array,
    revision: pa.Array,
    dtype: pa.Array,
    prompt_length: pa.Array,
    lengths: np.ndarray,
) -> dict[tuple[str, str, str], dict[tuple[int, int], list[int]]]:
    """Row numbers by model, and within it by prompt length and length: each model is asked for once per call."""
    groups: dict[tuple[str, str, str], dict[tuple[int, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    columns = (column.to_pylist() for column in (location, revision, dtype, prompt_length))
    for row, (length, place, version, kind, prompt) in enumerate(zip(lengths.tolist(), *columns, strict=True)):
        if valid[row]:
            groups[place, version or "main", kind or "float32"][prompt, length].append(row)
    return groups


def _lists(tokens: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Offsets [n + 1] and values of a list column, as NumPy arrays without a copy."""
    tokens = tokens if tokens.type == _TOKENS else tokens.cast(_TOKENS)
    if tokens.values.null_count:
        raise UdfError("score_continuation() got a NULL among the tokens of a sequence; expected token ids only")
    return tokens.offsets.to_numpy(), tokens.values.to_numpy()


def _is_valid(column: pa.Array) -> np.ndarray:
    return column.is_valid().to_numpy(zero_copy_only=False)


def _batch_size() -> int:
    text = os.environ.get(BATCH_VARIABLE) or str(DEFAULT_BATCH_SIZE)
    if not text.isdigit() or int(text) < 1:
        raise UdfError(f"{BATCH_VARIABLE}={text} is not a batch size; expected a whole number of sequences, 1 or more")
    return int(text)
