"""What a model thinks of every token, from one teacher-forced pass: its log-probability, and if greedy picks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from udf.errors import UdfError
from udf.language_model.loading import LanguageModel

# Logits are made and reduced this many at a time (128 MiB in float32): a whole batch over a large vocabulary would
# spend its time on fresh memory.
LOGITS_PER_SLICE = 2**25
# A CPU goes over logits several times, this many at a time (4 MiB), so that they stay in its cache.
CACHED_LOGITS = 2**20


@dataclass(frozen=True)
class TokenScores:
    """The predicted tokens 1 … T−1 of n sequences of T tokens; column i is about token i + 1.

    Attributes:
        log_probabilities: float64 [n, T−1], natural logarithms from a float32 log-softmax over the full vocabulary; not
            finite where the model's logits were not.
        greedy: bool [n, T−1], True where the most likely token (the first of equals, as `generate` takes it) is the one
            that stands there.
    """

    log_probabilities: np.ndarray
    greedy: np.ndarray


def score_tokens(model: LanguageModel, tokens: np.ndarray, batch_size: int) -> TokenScores:
    """Score sequences of one length, `batch_size` at a time; out of memory halves the batch and goes on.

    Args:
        model: a loaded model.
        tokens: token ids, integers [n, T].
        batch_size: sequences per forward pass.

    Raises:
        UdfError: a token id or the length is beyond the model, or one sequence alone does not fit into memory.
    """
    _check(model, tokens)
    n, length = tokens.shape
    scores = TokenScores(np.empty((n, max(length - 1, 0))), np.empty((n, max(length - 1, 0)), dtype=bool))
    start = 0
    while start < n and length > 1:
        rows = slice(start, start + batch_size)
        try:
            scores.log_probabilities[rows], scores.greedy[rows] = _score_batch(model, tokens[rows])
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            if batch_size == 1:
                raise UdfError(
                    f"one sequence of {length} tokens does not fit into memory beside {model.name}; use a smaller "
                    "model, or dtype bfloat16"
                ) from error
            batch_size //= 2
            continue
        start += batch_size
    return scores


def _score_batch(model: LanguageModel, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import torch

    with torch.inference_mode():
        ids = torch.from_numpy(tokens.astype(np.int64)).to(model.device)
        # The last token is predicted, but predicts nothing.
        inputs, targets = ids[:, :-1], ids[:, 1:].reshape(-1)
        positions = max(1, LOGITS_PER_SLICE // model.vocabulary_size)
        logits = _logits(model, inputs, positions)
        parts = [_reduce(piece.float(), wanted) for piece, wanted in zip(logits, targets.split(positions), strict=True)]
        log_probabilities = torch.cat([part[0] for part in parts]).double().reshape(inputs.shape)
        greedy = torch.cat([part[1] for part in parts]).reshape(inputs.shape)
        return log_probabilities.cpu().numpy(), greedy.cpu().numpy()


def _logits(model: LanguageModel, inputs: Any, positions: int) -> Iterator[Any]:
    """The logits after each input token, [≤ positions, V] at a time; each piece is overwritten by the next."""
    import torch

    if not model.splits:
        logits = model.network(inputs, use_cache=False).logits
        yield from logits.reshape(-1, logits.shape[-1]).split(positions)
        return
    head = model.network.get_output_embeddings()
    states = model.network.base_model(inputs, use_cache=False)[0]
    pieces = states.reshape(-1, states.shape[-1]).split(positions)
    if type(head) is not torch.nn.Linear or head.bias is not None:
        yield from map(head, pieces)
        return
    # What torch.nn.Linear computes, but into the same memory each time: fresh pages cost a fifth of the product's time.
    memory = states.new_empty((len(pieces[0]), len(head.weight)))
    for piece in pieces:
        yield torch.mm(piece, head.weight.t(), out=memory[: len(piece)])


def _reduce(logits: Any, targets: Any) -> tuple[Any, Any]:
    """From float32 logits [p, V] and target ids [p]: the targets' log-softmax [p], and whether each is the argmax."""
    import torch

    rows = max(1, CACHED_LOGITS // logits.shape[1]) if logits.device.type == "cpu" else len(logits)
    pieces = [_reduce_piece(*piece) for piece in zip(logits.split(rows), targets.split(rows), strict=True)]
    return torch.cat([piece[0] for piece in pieces]), torch.cat([piece[1] for piece in pieces])


def _reduce_piece(logits: Any, targets: Any) -> tuple[Any, Any]:
    from torch.nn.functional import cross_entropy

    # torch's argmax is many times slower than its maximum: it only settles if a target that is maximal is the first.
    greedy = logits.gather(1, targets[:, None]).squeeze(1) == logits.amax(1)
    maximal = greedy.nonzero().squeeze(1)
    greedy[maximal] = logits[maximal].argmax(1) == targets[maximal]
    return -cross_entropy(logits, targets, reduction="none"), greedy


def _check(model: LanguageModel, tokens: np.ndarray) -> None:
    if tokens.size and int(tokens.max()) >= model.vocabulary_size:
        raise UdfError(
            f"token id {int(tokens.max())} is beyond the vocabulary of {model.name}, which has {model.vocabulary_size} "
            "tokens; the model belongs to another tokenizer than the corpus"
        )
    if model.max_positions is not None and tokens.shape[1] > model.max_positions:
        raise UdfError(
            f"a sequence of {tokens.shape[1]} tokens is longer than the {model.max_positions} positions of {model.name}"
        )


def _is_out_of_memory(error: RuntimeError) -> bool:
    import torch

    # torch's allocator for the CPU has no error class of its own.
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
