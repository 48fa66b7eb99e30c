"""Language models small enough to be made by a test: real architectures, random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

VOCABULARY = 97
POSITIONS = 64


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
