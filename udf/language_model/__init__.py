"""What a causal language model makes of a sequence: its loss, its perplexities, its attention, and how much it recites.

`folders.py` and `hub.py` find a model's files, `libraries.py` brings torch and a device, `loading.py` keeps one model
loaded, which `probing.py` has tried, `scoring.py` runs it (one pass: the log-probability and greedy agreement of every
token), `attention.py` reduces what it attends to, `measures.py` turns scores into the measures of a sequence, and
`generation.py` lets the model go on after a miss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from udf.errors import UdfError
from udf.language_model.attention import STATISTICS
from udf.language_model.columns import TOKENS, batch_size, group_rows, is_valid, token_lists
from udf.language_model.folders import model_folder
from udf.language_model.generation import continue_greedily
from udf.language_model.loading import max_positions, release_model, skeleton, using_model
from udf.language_model.measures import MEASURES, measure, to_arrow
from udf.language_model.scoring import Request, TokenScores, score_tokens
from udf.registry import udf

OPTIONS = pa.struct(
    [
        pa.field("dtype", pa.string()),
        pa.field("device", pa.string()),
        pa.field("temperature", pa.float64()),
        pa.field("top_k", pa.int32()),
        pa.field("token_log_probabilities", pa.bool_()),
        pa.field("attention", pa.bool_()),
    ]
)
_HEADS = pa.list_(pa.list_(pa.float64()))
DETAILS = pa.struct(
    [
        *MEASURES,
        pa.field("token_log_probabilities", pa.list_(pa.float64())),
        *(pa.field(f"{statistic}_heads", _HEADS) for statistic in STATISTICS),
    ]
)


@udf([TOKENS, pa.string(), pa.string(), pa.int32(), pa.string()], MEASURES)
def score_continuation(
    tokens: pa.Array, location: pa.Array, revision: pa.Array, prompt_length: pa.Array, dtype: pa.Array
) -> pa.Array:
    """Score each sequence with a causal language model, in one teacher-forced pass.

    The model is loaded once and stays until another is asked for; rows are scored MEMTAX_BATCH_SIZE (64) at a time on
    MEMTAX_DEVICE ('auto': CUDA where there is one).

    Args:
        tokens: token ids, `UINTEGER[]`; lengths may differ.
        location: a folder with config.json and safetensors, a GGUF file, or a hub id.
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
    options = [_Options(dtype=kind or _Options.dtype) for kind in dtype.to_pylist()]
    scored = _score("score_continuation", tokens, location, revision, prompt_length, options)
    return to_arrow(scored.measures, scored.valid)


@udf([TOKENS, pa.string(), pa.string(), pa.int32(), OPTIONS], DETAILS)
def score_continuation_with(
    tokens: pa.Array, location: pa.Array, revision: pa.Array, prompt_length: pa.Array, options: pa.Array
) -> pa.Array:
    """`score_continuation` with everything else that the same pass can give.

    Args:
        tokens, location, revision, prompt_length: as there.
        options: a struct; NULL, or NULL in a field, stands for the default.
            dtype: 'float32' or 'bfloat16'.
            device: 'cpu', 'cuda', 'cuda:1', …; by default MEMTAX_DEVICE.
            temperature: above 0, default 1; of sampling_log_probability.
            top_k: of the same; 0, the default, stands for all tokens.
            token_log_probabilities: keep those of the predicted tokens (all but the first), as a list of nats.
            attention: reduce the attention, too, with the plain ('eager') implementation, which is slower.

    Returns:
        struct per row: the fields of `score_continuation`; token_log_probabilities, `DOUBLE[]`; and by layer and head
        entropy_heads, gini_heads, paper_entropy_heads, paper_gini_heads, `DOUBLE[][]` (see `attention.py`),
        empty where the model shows no attention. What was not asked for is NULL.

    Raises:
        UdfError: as there; or an option is out of range.
    """
    scored = _score(
        "score_continuation_with",
        tokens,
        location,
        revision,
        prompt_length,
        [_Options.of(row) for row in options.to_pylist()],
    )
    measures = to_arrow(scored.measures, scored.valid)
    # What the model said of other tokens cannot be trusted either where one number is none.
    sound = ~np.isnan(scored.measures[:, MEASURES.names.index("loss")])
    kept = [found if ok else None for found, ok in zip(scored.tokens, sound, strict=True)]
    attention = [found if ok else None for found, ok in zip(scored.attention, sound, strict=True)]
    lists = pa.array([None if found is None else found.tolist() for found in kept], pa.list_(pa.float64()))
    heads = [
        pa.array([None if found is None else found[..., at].tolist() for found in attention], _HEADS)
        for at in range(len(STATISTICS))
    ]
    return pa.StructArray.from_arrays(
        [*measures.flatten(), lists, *heads], fields=list(DETAILS), mask=pa.array(~scored.valid)
    )


@udf([TOKENS, pa.string(), pa.string(), pa.int32(), pa.int32(), OPTIONS], TOKENS)
def generate_continuation(
    tokens: pa.Array,
    location: pa.Array,
    revision: pa.Array,
    prompt_length: pa.Array,
    matched: pa.Array,
    options: pa.Array,
) -> pa.Array:
    """What greedy generation makes of each prompt: as many tokens as the sequence has after it.

    `score_continuation` says how many of the continuation's first tokens greedy generation gets right; generation goes
    on from its first miss, with a key-value cache. No token ends it: where a sequence ends is the corpus's matter.

    Args:
        tokens, location, revision, prompt_length: as in `score_continuation`; prompt and continuation.
        matched: the greedy_match_length of the same model and dtype.
        options: as in `score_continuation_with`; dtype and device count.

    Returns:
        token ids per row, as long as the continuation; NULL where an argument other than revision or options is, or where
        the model's numbers are not finite on the way.

    Raises:
        UdfError: as `score_continuation`; or matched is not below the length of the continuation.
    """
    lists = token_lists(tokens, "generate_continuation")
    valid = lists.valid & is_valid(location) & is_valid(prompt_length) & is_valid(matched)
    lengths = lists.lengths
    chosen = [_Options.of(row) for row in options.to_pylist()]
    places = ([*zip(location.to_pylist(), (one or "main" for one in revision.to_pylist()), strict=True)], chosen)
    prompts, matches = prompt_length.to_pylist(), matched.to_pylist()
    results: list[list[int] | None] = [None] * len(tokens)
    for ((place, version), option), rows in group_rows(valid, places).items():
        with using_model(place, version, option.dtype, device=option.device) as model:
            shapes = group_rows(np.ones(len(rows), bool), [[(prompts[row], int(lengths[row])) for row in rows]])
            for ((prompt, _),), parts in shapes.items():
                here = rows[parts]
                starts = np.array([matches[row] for row in here])
                made, finite = continue_greedily(model, lists.padded(here), prompt, starts, batch_size())
                for row, generated, sound in zip(here, made.tolist(), finite, strict=True):
                    results[row] = generated if sound else None
    return pa.array(results, TOKENS)


@udf([pa.string(), pa.string()], pa.int64())
def language_model_positions(location: pa.Array, revision: pa.Array) -> pa.Array:
    """The longest sequence that each model takes, in tokens; its weights are not read.

    Args:
        location, revision: as in `score_continuation`.

    Returns:
        tokens per row; NULL where location is, or where the model's configuration does not say.

    Raises:
        UdfError: no model is there, or transformers does not know it.
    """
    places = [*zip(location.to_pylist(), (one or "main" for one in revision.to_pylist()), strict=True)]
    found = {place: max_positions(skeleton(model_folder(*place))) for place in {*places} if place[0] is not None}
    return pa.array([found.get(place) for place in places], pa.int64())


@udf([pa.bool_()], pa.bool_(), volatile=True)
def release_language_model(wanted: pa.Array) -> pa.Array:
    """Let the loaded language model and its memory go, where `wanted`; the next function that needs one loads it."""
    if any(wanted.to_pylist()):
        release_model()
    return wanted


@dataclass(frozen=True)
class _Options:
    dtype: str = "float32"
    device: str | None = None
    temperature: float = 1.0
    top_k: int = 0
    token_log_probabilities: bool = False
    attention: bool = False

    @classmethod
    def of(cls, row: dict[str, Any] | None) -> _Options:
        options = cls(**{name: value for name, value in (row or {}).items() if value is not None})
        if not options.temperature > 0 or options.temperature == float("inf"):
            raise UdfError(f"the temperature {options.temperature} is none; expected a number above 0")
        if options.top_k < 0:
            raise UdfError(f"top_k is {options.top_k}; expected a number of tokens, or 0 for all")
        return options


@dataclass
class _Scored:
    measures: np.ndarray
    valid: np.ndarray
    tokens: list[np.ndarray | None]
    attention: list[np.ndarray | None]


def _score(
    name: str,
    tokens: pa.Array,
    location: pa.Array,
    revision: pa.Array,
    prompt_length: pa.Array,
    options: list[_Options],
) -> _Scored:
    n = len(tokens)
    lists = token_lists(tokens, name)
    valid = lists.valid & is_valid(location) & is_valid(prompt_length)
    prompts = np.array([0 if prompt is None else prompt for prompt in prompt_length.to_pylist()], np.int64)
    if (prompts[valid] < 1).any():
        raise UdfError(
            f"{name}() got prompt_length {prompts[valid].min()}; expected 1 or more, as the first token of a sequence is "
            "never predicted"
        )
    scored = _Scored(np.full((n, len(MEASURES)), np.nan), valid, [None] * n, [None] * n)
    size, lengths = batch_size(), lists.lengths
    places = [*zip(location.to_pylist(), (one or "main" for one in revision.to_pylist()), strict=True)]
    for ((place, version), option), rows in group_rows(valid, (places, options)).items():
        with using_model(place, version, option.dtype, device=option.device, attention=option.attention) as model:
            for here in _batchable(rows, lengths, option.attention):
                scores = score_tokens(
                    model,
                    lists.padded(here),
                    size,
                    lengths=lengths[here],
                    prompts=prompts[here],
                    request=Request(option.temperature, option.top_k, option.attention),
                )
                _keep(scored, scores, here, lengths, prompts, option)
    return scored


def _batchable(rows: np.ndarray, lengths: np.ndarray, attention: bool) -> list[np.ndarray]:
    """Rows that may share batches, those of like length beside each other.

    A sequence takes no notice of what another has past its end, but attention is reduced over whole squares.
    """
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    if not attention:
        return [ordered]
    return np.split(ordered, np.flatnonzero(np.diff(lengths[ordered])) + 1)


def _keep(
    scored: _Scored, scores: TokenScores, rows: np.ndarray, lengths: np.ndarray, prompts: np.ndarray, option: _Options
) -> None:
    everyone = np.ones(len(rows), bool)
    for (prompt, length), here in group_rows(everyone, (prompts[rows].tolist(), lengths[rows].tolist())).items():
        part = scores.part(here, length)
        scored.measures[rows[here]] = measure(part, prompt)
        for at, row in enumerate(rows[here]):
            if option.token_log_probabilities:
                scored.tokens[row] = part.log_probabilities[at]
            if part.attention is not None:
                scored.attention[row] = part.attention[at]
