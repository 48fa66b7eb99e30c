"""The tokens of a window as pieces of its text, each with what it cost the model, and where the model first missed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from memtax.corpus.tokenizer import CorpusTokenizer


class Level(NamedTuple):
    """A class of probabilities: from `least` on, up to the one before."""

    least: float
    name: str


# From the likeliest down. Pages tell them apart by shade, by underline and by name.
LEVELS = (
    Level(0.9, "p ≥ 0.9"),
    Level(0.5, "0.5 – 0.9"),
    Level(0.1, "0.1 – 0.5"),
    Level(0.01, "0.01 – 0.1"),
    Level(0.001, "0.001 – 0.01"),
    Level(0.0, "p < 0.001"),
)


@dataclass(frozen=True)
class Token:
    """One token as it is shown.

    Attributes:
        position: in the window, from 0.
        token_id: its id.
        text: what it adds to the text; empty where a later token completes its character.
        log_probability: natural logarithm of its probability after all before it; None where it is not known.
        outcome: of a continuation: `match` before the first miss, `miss` at it, `after` behind it; empty elsewhere.
    """

    position: int
    token_id: int
    text: str
    log_probability: float | None = None
    outcome: str = ""

    @property
    def probability(self) -> float | None:
        """Its probability after all before it."""
        if self.log_probability is None or math.isnan(self.log_probability):
            return None
        return math.exp(self.log_probability)

    @property
    def level(self) -> int | None:
        """The index of its class in LEVELS."""
        probability = self.probability
        if probability is None:
            return None
        return next(index for index, level in enumerate(LEVELS) if probability >= level.least)

    @property
    def words(self) -> str:
        """What is to be known of it, as one line."""
        parts = [f"token {self.position + 1}, id {self.token_id}"]
        if self.probability is not None:
            parts.append(f"p = {self.probability:.3g}, log p = {self.log_probability:.2f}")
        if self.outcome == "miss":
            parts.append("the model's first miss")
        return ", ".join(parts)


def tokens_of(
    ids: Sequence[int],
    tokenizer: CorpusTokenizer | None,
    *,
    prompt_length: int,
    log_probabilities: Sequence[float | None] | None = None,
    greedy_match_length: int | None = None,
) -> tuple[list[Token], list[Token]]:
    """The tokens of the prompt, and those of the continuation.

    Args:
        ids: the window's.
        tokenizer: of its corpus; without one, ids stand for the text.
        prompt_length: tokens of the prompt.
        log_probabilities: of ids[1:], in nats; None if they were not computed.
        greedy_match_length: tokens of the continuation that the model gets right before its first miss.
    """
    texts = _texts(ids, tokenizer, prompt_length)
    costs: list[float | None] = [None] * len(ids)
    # A list of another length is of another window; better none than those of the wrong tokens.
    if log_probabilities is not None and len(log_probabilities) == len(ids) - 1:
        costs[1:] = list(log_probabilities)
    tokens = [
        Token(
            position,
            ids[position],
            texts[position],
            costs[position],
            _outcome(position - prompt_length, greedy_match_length),
        )
        for position in range(len(ids))
    ]
    return tokens[:prompt_length], tokens[prompt_length:]


def _outcome(place: int, matched: int | None) -> str:
    if place < 0 or matched is None:
        return ""
    return "match" if place < matched else "miss" if place == matched else "after"


def _texts(ids: Sequence[int], tokenizer: CorpusTokenizer | None, prompt_length: int) -> list[str]:
    if tokenizer is None or max(ids, default=0) >= tokenizer.vocabulary_size:
        return [f"{token} " for token in ids]
    whole = _decode(tokenizer, ids)
    texts, done = [], ""
    for position in range(len(ids)):
        here = _decode(tokenizer, ids[: position + 1])
        # Half a character decodes to a replacement mark; its token shows nothing, and the one that completes it, all. At the
        # end of the prompt, whatever there is goes to the prompt.
        last = position in (prompt_length - 1, len(ids) - 1)
        if whole.startswith(here) and not (here.endswith("\ufffd") and not last):
            texts.append(here[len(done) :])
            done = here
        else:
            texts.append("")
    if done != whole or "".join(texts) != whole:
        # A tokenizer that looks back (it strips, or joins) has no pieces that add up; then each token stands for itself.
        return [_decode(tokenizer, [token]) for token in ids]
    return texts


def _decode(tokenizer: CorpusTokenizer, ids: Sequence[int]) -> str:
    return tokenizer.tokenizer.decode(list(ids), skip_special_tokens=False)
