"""What a model thinks of every token, from one teacher-forced pass: its log-probability, and if greedy picks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from udf.errors import UdfError
from udf.language_model.attention import AttentionRecorder
from udf.language_model.batches import in_batches
from udf.language_model.loading import LanguageModel
from udf.settings import threads

# Logits are made and reduced this many at a time (128 MiB in float32): a whole batch over a large vocabulary would
# spend its time on fresh memory.
LOGITS_PER_SLICE = 2**25
# Where an architecture scales or caps its logits, those of a batch are made at once and stand twice in memory for a moment
# (1 GiB each in float32).
LOGITS_PER_BATCH = 2**28


@dataclass(frozen=True)
class Request:
    """What is wanted beside the log-probability of every token.

    Attributes:
        temperature: logits are divided by it before sampling; above 0.
        top_k: only so many of the most likely tokens may be sampled; 0 stands for all.
        attention: also the statistics of the attention, for a model that was loaded for it.
    """

    temperature: float = 1.0
    top_k: int = 0
    attention: bool = False

    @property
    def is_plain_sampling(self) -> bool:
        """Whether sampling follows the model's own distribution."""
        return self.temperature == 1.0 and self.top_k == 0


@dataclass(frozen=True)
class TokenScores:
    """The predicted tokens 1 … T−1 of n sequences of T tokens; column i is about token i + 1.

    Where sequences are shorter than T, what stands in the columns past their ends means nothing.

    Attributes:
        log_probabilities: float64 [n, T−1], natural logarithms of a softmax over the full vocabulary, of float32 logits; not
            finite where the model's logits were not.
        greedy: bool [n, T−1], True where the most likely token (the first of equals, as `generate` takes it) is the one
            that stands there.
        sampling: float64 [n, T−1], the log-probability under the request's temperature and top_k (−infinity for a token
            outside the top k); meaningful in the continuation alone.
        attention: float64 [n, layers, heads, 4] as `attention.py` defines, or None where it was not asked for.
    """

    log_probabilities: np.ndarray
    greedy: np.ndarray
    sampling: np.ndarray
    attention: np.ndarray | None = None

    def part(self, rows: np.ndarray, length: int) -> TokenScores:
        """The scores of some rows that all have `length` tokens."""
        width = max(length - 1, 0)
        return TokenScores(
            self.log_probabilities[rows, :width],
            self.greedy[rows, :width],
            self.sampling[rows, :width],
            None if self.attention is None else self.attention[rows],
        )


PLAIN = Request()


def score_tokens(
    model: LanguageModel,
    tokens: np.ndarray,
    batch_size: int,
    *,
    lengths: np.ndarray | None = None,
    prompts: np.ndarray | None = None,
    request: Request = PLAIN,
) -> TokenScores:
    """Score sequences, `batch_size` at a time; out of memory halves the batch and goes on.

    Args:
        model: a loaded model.
        tokens: token ids, integers [n, T]; past its end a shorter sequence has any valid ids (nothing looks ahead). A batch is
            as wide as its longest sequence, so that those of like length stand beside each other.
        batch_size: sequences per forward pass; fewer where a model makes the logits of a whole batch at once, and many.
        lengths: integers [n], the tokens of each; None: all have T. With attention they must all be equal.
        prompts: integers [n], the prompt's tokens of each, at least 1; needed only to sample otherwise than plainly.
        request: what is wanted.

    Raises:
        UdfError: a token id or the length is beyond the model, or one sequence alone does not fit into memory.
    """
    check_tokens(model, tokens)
    n, length = tokens.shape
    width = max(length - 1, 0)
    lengths = np.full(n, length) if lengths is None else lengths
    prompts = np.ones(n, np.int64) if prompts is None else prompts
    log_probabilities, sampling = np.zeros((n, width)), np.zeros((n, width))
    greedy = np.zeros((n, width), dtype=bool)
    attention = None

    if not model.splits:
        batch_size = max(1, min(batch_size, LOGITS_PER_BATCH // max(1, width * model.vocabulary_size)))

    def work(rows: slice) -> Any:
        here = tokens[rows, : max(2, int(lengths[rows].max()))]
        return _score_batch(model, here, lengths[rows], prompts[rows], request)

    batches = in_batches(n, batch_size, work, model=model, kind="scoring", length=length) if width else []
    for rows, found in batches:
        part = rows, slice(found.greedy.shape[1])
        log_probabilities[part], greedy[part], sampling[part] = found.log_probabilities, found.greedy, found.sampling
        if found.attention is not None:
            attention = np.empty((n, *found.attention.shape[1:])) if attention is None else attention
            attention[rows] = found.attention
    return TokenScores(log_probabilities, greedy, sampling, attention)


def _score_batch(
    model: LanguageModel, tokens: np.ndarray, lengths: np.ndarray, prompts: np.ndarray, request: Request
) -> TokenScores:
    import torch

    n, width = len(tokens), tokens.shape[1] - 1
    # Flat places of the tokens to predict: those within their sequences; and of those, the ones that may be sampled.
    columns = np.arange(width)
    wanted = np.flatnonzero(columns < lengths[:, None] - 1)
    sampled = (columns >= prompts[:, None] - 1).reshape(-1)[wanted] & (not request.is_plain_sampling)
    log_probabilities, sampling = np.zeros(n * width), np.full(n * width, np.nan)
    greedy = np.zeros(n * width, dtype=bool)
    with torch.inference_mode(), AttentionRecorder(model, request.attention, n) as recorder:
        ids = torch.from_numpy(tokens.astype(np.int64)).to(model.device)
        targets = ids[:, 1:].reshape(-1)[torch.from_numpy(wanted).to(model.device)]
        positions = max(1, LOGITS_PER_SLICE // model.vocabulary_size)
        start = 0
        # The last token is predicted, but predicts nothing; it takes part where its attention is asked for.
        for piece in logits_in_pieces(model, ids if request.attention else ids[:, :-1], wanted, width, positions):
            logits = piece.float()
            here = slice(start, start + len(logits))
            log_probabilities[wanted[here]], greedy[wanted[here]] = _reduce(logits, targets[here])
            chosen = np.flatnonzero(sampled[here])
            if len(chosen):
                rows = torch.from_numpy(chosen).to(model.device)
                sampling[wanted[here][chosen]] = _sampling(logits[rows], targets[here][rows], request)
            start = here.stop
        attention = recorder.statistics()
    if request.is_plain_sampling:
        sampling = log_probabilities
    shape = (n, width)
    return TokenScores(log_probabilities.reshape(shape), greedy.reshape(shape), sampling.reshape(shape), attention)


def logits_in_pieces(
    model: LanguageModel, inputs: Any, wanted: np.ndarray, width: int, positions: int
) -> Iterator[Any]:
    """The logits at the wanted places, [≤ positions, V] at a time; each piece is overwritten by the next.

    Args:
        model: a loaded model.
        inputs: token ids [n, ≥ width] on its device.
        wanted: flat places in [n, width], ascending.
        width: how many columns of `inputs` are places.
        positions: the most to a piece.
    """
    import torch

    places = torch.from_numpy(wanted).to(model.device)
    everything = len(wanted) == len(inputs) * width == inputs.numel()
    if not model.splits:
        logits = model.network(inputs, use_cache=False).logits[:, :width]
        flat = logits.reshape(-1, logits.shape[-1])
        for part in places.split(positions):
            yield flat[part]
        return
    head = model.network.get_output_embeddings()
    states = model.network.base_model(inputs, use_cache=False)[0][:, :width]
    states = states.reshape(-1, states.shape[-1])
    pieces = (states if everything else states[places]).split(positions)
    if type(head) is not torch.nn.Linear or head.bias is not None:
        yield from map(head, pieces)
        return
    # What torch.nn.Linear computes, but into the same memory each time: fresh pages cost a fifth of the product's time.
    memory = states.new_empty((min(positions, len(wanted)), len(head.weight)))
    for piece in pieces:
        yield torch.mm(piece, head.weight.t(), out=memory[: len(piece)])


def _reduce(logits: Any, targets: Any) -> tuple[np.ndarray, np.ndarray]:
    """From float32 logits [p, V] and target ids [p]: the targets' log-softmax [p], and whether each is the argmax."""
    if logits.device.type == "cpu":
        from memtax_native import score_logits

        # One pass over the logits, where torch takes four.
        return score_logits(logits.contiguous().numpy(), targets.numpy(), threads())
    return _reduce_with_torch(logits, targets)


def _reduce_with_torch(logits: Any, targets: Any) -> tuple[np.ndarray, np.ndarray]:
    """The same on any device."""
    from torch.nn.functional import cross_entropy

    # torch's argmax is many times slower than its maximum: it only settles if a target that is maximal is the first.
    greedy = logits.gather(1, targets[:, None]).squeeze(1) == logits.amax(1)
    maximal = greedy.nonzero().squeeze(1)
    greedy[maximal] = logits[maximal].argmax(1) == targets[maximal]
    log_probabilities = -cross_entropy(logits, targets, reduction="none").double()
    return log_probabilities.cpu().numpy(), greedy.cpu().numpy()


def _sampling(logits: Any, targets: Any, request: Request) -> np.ndarray:
    """The targets' log-probabilities where sampling divides by a temperature and keeps the k largest logits.

    As transformers' samplers do it: a logit that equals the k-th largest is kept, too.
    """
    import torch

    # Less the largest before the division: a low temperature makes numbers so large that float32 rounds off what tells the
    # likely tokens apart.
    scaled = (logits - logits.amax(1, keepdim=True)) / request.temperature
    chosen = scaled.gather(1, targets[:, None]).squeeze(1)
    if not 0 < request.top_k < scaled.shape[1]:
        return (chosen.double() - torch.logsumexp(scaled, 1).double()).cpu().numpy()
    lowest = scaled.topk(request.top_k, dim=1).values[:, -1:]
    kept = scaled.masked_fill_(scaled < lowest, float("-inf"))
    found = chosen.double() - torch.logsumexp(kept, 1).double()
    found[chosen < lowest.squeeze(1)] = float("-inf")
    return found.cpu().numpy()


def check_tokens(model: LanguageModel, tokens: np.ndarray) -> None:
    """Refuse token ids that the model has no embedding for, and sequences that are too long for it.

    Raises:
        UdfError: naming the id or the length, and the model.
    """
    if tokens.size and int(tokens.max()) >= model.vocabulary_size:
        raise UdfError(
            f"token id {int(tokens.max())} is beyond the vocabulary of {model.name}, which has {model.vocabulary_size} "
            "tokens; the model belongs to another tokenizer than the corpus"
        )
    if model.max_positions is not None and tokens.shape[1] > model.max_positions:
        raise UdfError(
            f"a sequence of {tokens.shape[1]} tokens is longer than the {model.max_positions} positions of {model.name}; "
            "shorten the vars prompt_length and continuation_length, or use a model that takes longer ones"
        )
