"""Configurations and weights that are not as they seem: said in words, and never scored as if they were sound."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.udf import tiny_models
from udf.errors import UdfError
from udf.language_model.loading import release_model, skeleton, using_model

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def nothing_loaded():
    yield
    release_model()


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    return tiny_models.save(tmp_path / "model", "llama")


def load(folder: Path) -> None:
    with using_model(str(folder), "main", "float32"):
        pass


def change_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def change_weights(folder: Path, change: Callable[[dict], dict]) -> None:
    from safetensors.torch import load_file, save_file

    weights = change(load_file(folder / "model.safetensors"))
    (folder / "model.safetensors").unlink()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def quantized(weights: dict, kind: torch.dtype) -> dict:
    """Projections as small numbers beside scales, as published quantized models have them."""
    found = dict(weights)
    for name in [name for name in weights if name.endswith("proj.weight")]:
        scale = weights[name].abs().max() / 100
        found[name] = (weights[name] / scale).to(kind)
        found[f"{name}_scale"] = scale.reshape(1)
    return found


@pytest.mark.parametrize("kind", [torch.int8, torch.float8_e4m3fn])
@pytest.mark.parametrize("config", [{}, {"quantization_config": {"quant_method": "of_its_own", "bits": 8}}])
def test_small_weights_are_not_scored_without_their_scales(llama: Path, kind: torch.dtype, config: dict) -> None:
    change_config(llama, **config)
    change_weights(llama, lambda weights: quantized(weights, kind))
    with pytest.raises(
        UdfError, match=r"quantized in a way that .* does not read: .*weight_scale goes unused; give its unq"
    ):
        load(llama)


def test_masks_beside_the_weights_are_no_quantization(tmp_path: Path) -> None:
    """As files of GPT-NeoX and GPT-2 hold them that older versions of transformers wrote."""
    folder = tiny_models.save(tmp_path / "model", "gpt_neox")
    mask = torch.ones(1, 1, 8, 8).tril().to(torch.uint8)
    change_weights(folder, lambda weights: weights | {"gpt_neox.layers.0.attention.bias": mask})
    load(folder)
    change_weights(folder, lambda weights: weights | {"mask_of_its_own": mask, "another": torch.ones(1)})
    load(folder)


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes"])
def test_what_reads_quantized_weights_and_is_not_installed_is_named(llama: Path, method: str) -> None:
    config = {"gptq": {"bits": 4}, "awq": {"bits": 4}, "bitsandbytes": {"load_in_8bit": True}}[method]
    change_config(llama, quantization_config={"quant_method": method, **config})
    with pytest.raises(UdfError, match=r"cannot load .*model here|do not fit its config.json"):
        load(llama)


@pytest.mark.parametrize(
    "changes",
    [
        {"pad_token_id": tiny_models.VOCABULARY},
        {"vocab_size": "97"},
        {"vocab_size": -1},
        {"max_position_embeddings": None},
        {"hidden_size": 33},
        {"num_attention_heads": 0},
        {"num_hidden_layers": None},
        {"hidden_act": "of_its_own"},
        {"rope_parameters": {"rope_type": "of_its_own"}},
    ],
)
@pytest.mark.parametrize("architecture", ["llama", "gpt_neox"])
def test_numbers_that_make_no_sense_are_one_line(tmp_path: Path, architecture: str, changes: dict) -> None:
    """Or harmless, where an architecture makes no use of them."""
    folder = tiny_models.save(tmp_path / "model", architecture)
    change_config(folder, **changes)
    try:
        load(folder)
    except UdfError as error:
        assert str(folder) in str(error) and "\n" not in str(error)
    else:
        assert set(changes) & {"hidden_act", "max_position_embeddings", "rope_parameters", "pad_token_id"}


def test_a_model_that_loads_but_cannot_be_run_is_one_line(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    def divide(*_: object, **__: object) -> float:
        return 1 / 0

    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", divide)
    with pytest.raises(UdfError, match=r"model loads, but cannot be run as its config.json says: division by zero"):
        load(llama)


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation", "_attn_implementation_internal"])
@pytest.mark.parametrize("value", ["flash_attention_2", "kernels-community/flash-attn2"])
def test_a_configuration_does_not_choose_the_code_that_computes(llama: Path, key: str, value: str) -> None:
    change_config(llama, return_dict=False, **{key: value})
    assert skeleton(llama).config._attn_implementation == "sdpa"
    load(llama)
