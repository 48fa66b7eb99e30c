"""Language models small enough to be made by a test (real architectures, random weights), rows for them, and their scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from udf.registry import registered

VOCABULARY = 97
POSITIONS = 64
PROMPT = 32


def build(architecture: str, seed: int = 0, **changes: Any) -> Any:
    """A transformers model of one of the architectures below, in evaluation mode."""
    import torch
    import transformers

    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    # Greater spread than the default, so that greedy choices are clear and differ from token to token.
    common = {
        "vocab_size": VOCABULARY, "max_position_embeddings": POSITIONS, "initializer_range": 0.3,
        "bos_token_id": None, "eos_token_id": None,
    }  # fmt: skip
    configurations = {
        "gpt_neox": lambda: transformers.GPTNeoXConfig(**common | shape | changes),
        "gpt2": lambda: transformers.GPT2Config(**common | {"n_embd": 32, "n_layer": 2, "n_head": 4} | changes),
        "llama": lambda: transformers.LlamaConfig(**common | shape | changes),
        # Its attention lies in a module of another attention module, and every other layer sees few tokens back.
        "gpt_neo": lambda: transformers.GPTNeoConfig(
            **common
            | {"attention_types": [[["global", "local"], 1]], "window_size": 8, "num_layers": 2, "num_heads": 4},
            hidden_size=32,
        ),
        # Recurrent: no attention, and a state in the place of a key-value cache.
        "mamba": lambda: transformers.MambaConfig(
            **common | {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4, "pad_token_id": 0} | changes
        ),
        # Divides its logits after the output embedding.
        "granite": lambda: transformers.GraniteConfig(**common | shape | {"logits_scaling": 4.0} | changes),
        # Sees the tokens that it has to predict.
        "bert": lambda: transformers.BertConfig(**common | shape | changes),
    }
    torch.manual_seed(seed)
    return transformers.AutoModelForCausalLM.from_config(configurations[architecture]()).eval()


def save(folder: Path, architecture: str, seed: int = 0, **changes: Any) -> Path:
    """Write such a model as config.json and safetensors."""
    build(architecture, seed, **changes).save_pretrained(folder)
    return folder


def score(
    rows: Any, folder: Any, prompt: Any = PROMPT, dtype: Any = "float32", revision: Any = "main"
) -> list[dict | None]:
    """Call the UDF as an engine does, with constants repeated on every row."""
    function = next(item for item in registered() if item.name == "score_continuation")
    n = len(rows)
    each = lambda value, kind: pa.array(value if isinstance(value, list) else [value] * n, kind)  # noqa: E731
    places = [str(place) for place in folder] if isinstance(folder, list) else str(folder)
    return function(
        pa.array(rows, pa.list_(pa.uint32())),
        each(places, pa.string()),
        each(revision, pa.string()),
        each(prompt, pa.int32()),
        each(dtype, pa.string()),
    ).to_pylist()


def random_rows(n: int, length: int = 64, seed: int = 0) -> list[list[int]]:
    """Windows of token ids that any of these models knows."""
    return np.random.default_rng(seed).integers(0, VOCABULARY, (n, length)).tolist()
