"""From the scores of tokens to the measures of a sequence: losses, perplexities and how far greedy decoding recites.

A sequence has T tokens, of which the first P are the prompt; token 0 is never predicted. With l(i) the natural
log-probability of token i given those before it:

    loss                   −mean l(i) over 1 ≤ i < T
    prompt_perplexity      exp(−mean l(i) over 1 ≤ i < P)          (P − 1 tokens)
    generation_perplexity  exp(−mean l(i) over P ≤ i < T)          (T − P tokens)
    sequence_perplexity    exp(−mean l(i) over 1 ≤ i < T)          (T − 1 tokens)
    paper_…_perplexity     exp(−sum of l(i) over the same span / (T − 1)), the divisor of arXiv 2406.17746's code
    continuation_log_probability   Σ l(i) over P ≤ i < T
    sampling_log_probability       the same sum of s(i), the log-probability under a temperature and a top k: −infinity
                                   where a token is outside the top k, as sampling never produces the continuation
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from udf.language_model.scoring import TokenScores

MEASURES = pa.struct(
    [
        pa.field("loss", pa.float64()),
        pa.field("prompt_perplexity", pa.float64()),
        pa.field("generation_perplexity", pa.float64()),
        pa.field("sequence_perplexity", pa.float64()),
        pa.field("paper_prompt_perplexity", pa.float64()),
        pa.field("paper_generation_perplexity", pa.float64()),
        pa.field("paper_sequence_perplexity", pa.float64()),
        pa.field("continuation_log_probability", pa.float64()),
        pa.field("sampling_log_probability", pa.float64()),
        pa.field("greedy_match_length", pa.int32()),
        pa.field("memorized", pa.bool_()),
    ]
)


def measure(scores: TokenScores, prompt_length: int) -> np.ndarray:
    """The measures of n sequences, float64 [n, one column per field of `MEASURES`], NaN where there is none.

    A span without tokens has no measure. A sequence with a log-probability that is not finite has none at all: what the
    model said of its other tokens cannot be trusted either.

    Args:
        scores: of n sequences of one length T.
        prompt_length: P ≥ 1, in tokens.
    """
    log_probabilities, split = scores.log_probabilities, prompt_length - 1
    n, predicted = log_probabilities.shape
    spans = {
        "prompt": log_probabilities[:, :split],
        "generation": log_probabilities[:, split:],
        "sequence": log_probabilities,
    }
    columns = {name: np.full(n, np.nan) for name in MEASURES.names}
    with np.errstate(over="ignore", invalid="ignore"):
        for name, span in spans.items():
            if span.shape[1]:
                total = -span.sum(axis=1)
                columns[f"{name}_perplexity"] = np.exp(total / span.shape[1])
                columns[f"paper_{name}_perplexity"] = np.exp(total / predicted)
    if predicted:
        columns["loss"] = -log_probabilities.mean(axis=1)
    greedy = scores.greedy[:, split:]
    if greedy.shape[1]:
        columns["continuation_log_probability"] = spans["generation"].sum(axis=1)
        columns["sampling_log_probability"] = scores.sampling[:, split:].sum(axis=1)
        columns["memorized"] = greedy.all(axis=1).astype(float)
        # The product over a prefix stays 1 up to the first miss.
        columns["greedy_match_length"] = np.cumprod(greedy, axis=1).sum(axis=1).astype(float)
    table = np.column_stack([columns[name] for name in MEASURES.names])
    impossible = np.isneginf(table) & (np.array(MEASURES.names) == "sampling_log_probability")
    table[~np.isfinite(table) & ~impossible] = np.nan
    table[~np.isfinite(log_probabilities).all(axis=1)] = np.nan
    return table


def to_arrow(table: np.ndarray, valid: np.ndarray) -> pa.StructArray:
    """The rows of `measure` as structs: NaN becomes NULL; rows that are not `valid` (bool [n]) are NULL as a whole."""
    fields = [
        pa.array(np.where(np.isnan(column), 0, column).astype(field.type.to_pandas_dtype()), mask=np.isnan(column))
        for column, field in zip(table.T, MEASURES, strict=True)
    ]
    return pa.StructArray.from_arrays(fields, fields=list(MEASURES), mask=pa.array(~valid))
