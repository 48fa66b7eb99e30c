"""Language models in one GGUF file, as llama.cpp keeps them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memtax.models import describe_model
from udf.detokenize import load_tokenizer
from udf.errors import UdfError
from udf.language_model.loading import release_model, using_model

pytest.importorskip("torch")
pytest.importorskip("accelerate")
gguf = pytest.importorskip("gguf")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def nothing_loaded():
    release_model()
    yield
    release_model()


def save_gguf(path: Path, merge: str = "A B") -> Path:
    """A Llama-like model of random float32 weights in one GGUF file, as llama.cpp lays it out."""
    width, layers, heads, inner, words = 32, 2, 4, 64, 50
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(words)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([*(chr(ord("A") + number) for number in range(words - 1)), "AB"])
    writer.add_token_types([1] * words)
    writer.add_token_merges([merge])
    shapes = {"token_embd": (words, width), "output": (words, width), "output_norm": (width,)}
    for layer in range(layers):
        shapes |= {f"blk.{layer}.{name}": (width, width) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
        shapes |= {f"blk.{layer}.{name}": (inner, width) for name in ("ffn_gate", "ffn_up")}
        shapes |= {f"blk.{layer}.ffn_down": (width, inner)}
        shapes |= {f"blk.{layer}.{name}": (width,) for name in ("attn_norm", "ffn_norm")}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", (rng.normal(size=shape) * 0.3).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_gguf_file_is_a_model(tmp_path):
    """Loaded by its file, described without its weights, and scored like the same weights as safetensors."""
    file = save_gguf(tmp_path / "tiny.gguf")
    (tmp_path / "adapter_config.json").write_text("{}")  # beside it, and no part of it
    with using_model(str(file), "main", "float32") as model:
        assert type(model.network).__name__ == "LlamaForCausalLM" and model.vocabulary_size == 50
        embedding = model.network.get_input_embeddings().weight
        assert embedding.abs().mean().item() == pytest.approx(0.24, abs=0.02)
        parameters = sum(parameter.numel() for parameter in model.network.parameters())
    found = describe_model(str(file))
    assert (found.location, found.n_parameters, found.vocabulary_size) == (str(file), parameters, 50)
    assert found.tokenizer is not None and found.tokenizer.location == str(file)


def test_a_gguf_file_whose_tokenizer_is_broken_is_refused(tmp_path):
    with pytest.raises(UdfError, match=r"tiny\.gguf holds no tokenizer that can be read"):
        load_tokenizer(str(save_gguf(tmp_path / "tiny.gguf", merge="A absent")))


def test_a_broken_gguf_file_is_refused(tmp_path):
    (tmp_path / "broken.gguf").write_bytes(b"GGUF but no more")
    with pytest.raises(UdfError, match=r"broken\.gguf"), using_model(str(tmp_path / "broken.gguf"), "main", "float32"):
        pass
