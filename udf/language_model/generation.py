"""Greedy generation after the first miss, in batches, with a key-value cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from udf.errors import UdfError
from udf.language_model.batches import in_batches
from udf.language_model.loading import LanguageModel
from udf.language_model.scoring import check_tokens


def continue_greedily(
    model: LanguageModel, tokens: np.ndarray, prompt_length: int, matched: np.ndarray, batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """What greedy generation makes of each prompt, given how far the teacher-forced pass saw it recite.

    Up to the first miss that is the sequence itself. At the miss the most likely token other than the one that stands
    there is taken: the pass has shown that it is not the right one, and another pass may round a close call otherwise. A
    batch begins at the earliest of its misses, so rows are batched by theirs. No token ends a generation.

    Args:
        model: a loaded model.
        tokens: token ids, integers [n, T]: prompt and continuation.
        prompt_length: P, in tokens, at least 1.
        matched: integers [n], continuation tokens before the first miss, below T − P.
        batch_size: sequences per forward pass; out of memory halves it.

    Returns:
        token ids, integers [n, T − P]; and bool [n], False where the model's numbers are not finite on the way, so that the
        tokens mean nothing.

    Raises:
        UdfError: a token id or the length is beyond the model, `matched` is out of range, or one sequence alone does not
            fit into memory.
    """
    check_tokens(model, tokens)
    n, length = tokens.shape
    if prompt_length < 1 or (n and not 0 <= matched.min() <= matched.max() < length - prompt_length):
        raise UdfError(
            f"generation after {matched.min()} to {matched.max()} tokens of a continuation of {length - prompt_length}, "
            f"with a prompt of {prompt_length}; expected a prompt, and a first miss within each continuation"
        )
    order = np.argsort(matched, kind="stable")
    made, finite = tokens[:, prompt_length:].astype(np.int64), np.ones(n, bool)

    def work(rows: slice) -> tuple[np.ndarray, np.ndarray]:
        return _continue_batch(model, tokens[order[rows]], prompt_length + matched[order[rows]])

    for rows, (generated, sound) in in_batches(n, batch_size, work, model=model, kind="generation", length=length):
        made[order[rows]], finite[order[rows]] = generated[:, prompt_length:], sound
    return made, finite


def _continue_batch(model: LanguageModel, tokens: np.ndarray, misses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The whole sequences with what is generated from each one's miss on, and for each whether all was finite.

    `misses`: int [n], absolute positions.
    """
    import torch

    with torch.inference_mode():
        ids = torch.from_numpy(tokens.astype(np.int64)).to(model.device)
        at = torch.from_numpy(misses).to(model.device)
        begin, length = int(misses.min()), ids.shape[1]
        inputs, cache = ids[:, :begin], None
        finite = torch.ones(len(ids), dtype=torch.bool, device=model.device)
        for position in range(begin, length):
            logits, cache = _step(model, inputs, cache)
            missed = (at == position).nonzero().squeeze(1)
            logits[missed, ids[missed, position]] = float("-inf")
            highest, likeliest = logits.max(-1)  # NaN where a logit is; the first of equals
            finite &= highest.isfinite() | (at > position)
            ids[:, position] = torch.where(at <= position, likeliest, ids[:, position])
            # A model without a key-value cache (Mamba) reads everything again.
            inputs = ids[:, : position + 1] if cache is None else ids[:, position : position + 1]
        return ids.cpu().numpy(), finite.cpu().numpy()


def _step(model: LanguageModel, inputs: Any, cache: Any) -> tuple[Any, Any]:
    """float32 logits [n, V] after the last of `inputs`, and the cache with them, None if the model has none."""
    if not model.splits:
        found = model.network(inputs, past_key_values=cache, use_cache=True)
        return found.logits[:, -1].float(), getattr(found, "past_key_values", None)
    found = model.network.base_model(inputs, past_key_values=cache, use_cache=True)
    logits = model.network.get_output_embeddings()(found[0][:, -1]).float()
    return logits, getattr(found, "past_key_values", None)
