"""A few passes over a model that was just loaded: whether it can be run at all, is causal, and how its logits come about."""

from __future__ import annotations

from typing import Any

from udf.errors import UdfError
from udf.language_model.libraries import first_line, is_out_of_memory


def probe(network: Any, name: str, vocabulary_size: int) -> bool:
    """Whether the output embedding of the last hidden state gives the model's own logits, to the bit.

    Some architectures scale or cap their logits after it; they are asked for all positions at once.

    Args:
        network: a transformers model.
        name: how messages call it.
        vocabulary_size: token ids run from 0 to this, exclusive.

    Raises:
        UdfError: the model looks ahead, or its configuration makes no pass over it possible.
        RuntimeError, MemoryError: memory ran out.
    """
    try:
        _check_causal(network, name, vocabulary_size)
        return _splits(network, vocabulary_size)
    except UdfError:
        raise
    # Numbers that make no sense fail wherever the architecture's code first uses them, and as what that code raises.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise UdfError(f"{name} loads, but cannot be run as its config.json says: {first_line(error)}") from error


def _check_causal(network: Any, name: str, vocabulary_size: int) -> None:
    """Refuse a model that sees what it has to predict (BERT loads as a "causal" model): it would seem to recite all."""
    import torch

    with torch.inference_mode():
        # One pass each, of one shape: a causal model gives the same numbers for the same first token, but for rounding.
        first, other = (
            network(torch.tensor([[0, last]], device=network.device), use_cache=False).logits[0, 0].float()
            for last in (0, vocabulary_size - 1)
        )
    tolerance = (1e-4 if network.dtype == torch.float32 else 1e-2) * first.std().item()
    if (first - other).abs().max().item() > tolerance:
        raise UdfError(
            f"{name} ({type(network).__name__}) is not a causal language model: what it predicts for a token changes "
            "with the tokens after it"
        )


def _splits(network: Any, vocabulary_size: int) -> bool:
    import torch

    body, head = network.base_model, network.get_output_embeddings()
    if head is None or body is network:
        return False
    tokens = torch.arange(min(8, vocabulary_size), device=network.device)[None]
    with torch.inference_mode():
        return torch.equal(head(body(tokens, use_cache=False)[0]), network(tokens, use_cache=False).logits)
