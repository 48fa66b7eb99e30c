"""Finding, checking, keeping and releasing language models."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from tests.udf import tiny_models
from udf.errors import UdfError
from udf.language_model import folders, hub, loading
from udf.language_model.loading import release_model, using_model

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("one_thread")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_loaded():
    release_model()
    yield
    release_model()


@pytest.fixture
def folder(tmp_path) -> Path:
    return tiny_models.save(tmp_path / "model", "gpt_neox")


def load(location, dtype="float32") -> None:
    with using_model(str(location), "main", dtype):
        pass


def test_a_model_is_loaded_once_and_released_for_another(folder, tmp_path, monkeypatch):
    loads, whole = [], loading.load
    monkeypatch.setattr(loading, "load", lambda *args, **kwargs: loads.append(args[0].name) or whole(*args, **kwargs))
    with using_model(str(folder), "main", "float32") as model:
        first = weakref.ref(model.network)
        assert not model.network.training and model.splits
    del model
    load(folder)
    assert loads == ["model"]
    load(tiny_models.save(tmp_path / "other", "llama"))
    gc.collect()
    assert loads == ["model", "other"] and first() is None
    load(tmp_path / "other", "bfloat16")
    assert loads == ["model", "other", "other"]


def test_a_model_that_changed_on_disk_is_read_again(folder):
    with using_model(str(folder), "main", "float32") as model:
        before = model.network.get_input_embeddings().weight[0, 0].item()
    (folder / "model.safetensors").unlink()
    tiny_models.save(folder, "gpt_neox", seed=1)
    with using_model(str(folder), "main", "float32") as model:
        assert model.network.get_input_embeddings().weight[0, 0].item() != before


def test_shards_load_as_one_file_does(folder, tmp_path):
    network = tiny_models.build("gpt_neox")
    network.save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 1
    with using_model(str(tmp_path / "shards"), "main", "float32") as model:
        for got, want in zip(model.network.parameters(), network.parameters(), strict=True):
            assert torch.equal(got, want)


@pytest.mark.parametrize("architecture", ["gpt_neox", "gpt2", "llama", "granite"])
def test_logits_are_only_split_from_the_body_where_that_is_exact(tmp_path, architecture):
    with using_model(str(tiny_models.save(tmp_path / "model", architecture)), "main", "float32") as model:
        assert model.splits == (architecture != "granite")


def test_a_model_that_looks_ahead_is_refused(tmp_path):
    for dtype in loading.DTYPES:
        with pytest.raises(UdfError, match=r"\(BertLMHeadModel\) is not a causal language model"):
            load(tiny_models.save(tmp_path / dtype, "bert"), dtype)


def test_a_model_that_does_not_fit_into_memory_is_said_to_be_too_large(folder, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(torch.nn.Module, "to", full)
    with pytest.raises(UdfError, match=r"model does not fit into the memory of cpu; use a smaller model, dtype bf"):
        load(folder)
    monkeypatch.undo()
    load(folder)


def test_a_pickle_is_refused(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(
        UdfError, match=r"no model.safetensors .*found: config.json.*pytorch_model.bin.*only safetensors"
    ):
        load(folder)


def test_no_configuration_is_refused(folder):
    (folder / "config.json").unlink()
    with pytest.raises(UdfError, match=r"holds no config.json"):
        load(folder)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UdfError, match=rf"no language model at {tmp_path}/nowhere: .* does not exist"):
        load(tmp_path / "nowhere")


def test_a_truncated_file_is_refused(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UdfError, match="is not a whole safetensors file"):
        load(folder)


def test_missing_tensors_are_refused_rather_than_made_up(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights.pop("gpt_neox.final_layer_norm.weight")
    (folder / "model.safetensors").unlink()
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(UdfError, match=r"lack 1 tensors .* gpt_neox.final_layer_norm.weight"):
        load(folder)


def test_weights_of_another_shape_are_refused(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 50}))
    with pytest.raises(UdfError, match=r"do not fit its config.json"):
        load(folder)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "cannot build a causal language model"),
        ('{"model_type": "nothing_known"}', "cannot build a causal language model"),
        ('{"model_type": "resnet"}', "cannot build a causal language model"),
        (
            '{"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}}',
            "cannot build a causal language model",
        ),
    ],
)
def test_a_configuration_that_transformers_does_not_know_is_refused(folder, config, message):
    (folder / "own.py").write_text("raise SystemExit('code of the model ran')")
    (folder / "config.json").write_text(config)
    with pytest.raises(UdfError, match=message):
        load(folder)


@pytest.mark.parametrize("name", ["../other.safetensors", "absent.safetensors", "model.bin"])
def test_an_index_cannot_reach_outside_its_folder(folder, name):
    (folder / "model.safetensors").rename(folder.parent / "other.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(UdfError, match="which is no safetensors file in"):
        load(folder)


def test_an_unknown_device_is_refused(folder, monkeypatch):
    monkeypatch.setenv("MEMTAX_DEVICE", "abacus")
    with pytest.raises(UdfError, match="abacus is not a torch device; expected auto, cpu or cuda in MEMTAX_DEVICE"):
        load(folder)


@pytest.mark.parametrize(("device", "devices"), [("cuda", 0), ("cuda:0", 0), ("cuda:2", 2)])
def test_a_gpu_that_is_not_there_is_refused(folder, monkeypatch, device, devices):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    monkeypatch.setenv("MEMTAX_DEVICE", device)
    with pytest.raises(UdfError, match=rf"there is no device {device}: torch .* finds {devices} CUDA devices"):
        load(folder)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("EleutherAI/pythia-70m", True),
        ("gpt2", True),
        ("a/b/c", False),
        ("/a/b", False),
        ("./a", False),
        ("a b", False),
    ],
)
def test_what_reads_as_a_hub_id(location, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert hub.is_hub_id(location) is expected


def test_an_existing_path_is_no_hub_id(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gpt2").mkdir()
    assert not hub.is_hub_id("gpt2")


def test_a_commit_of_the_hub_is_never_a_folder_that_goes_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "tiny").mkdir(parents=True)
    monkeypatch.setattr(folders, "fetch", lambda hub_id, revision, patterns: Path("/cache") / hub_id / revision)
    assert folders.model_folder("owner/tiny", "a1" * 20) == Path("/cache/owner/tiny") / ("a1" * 20)
    assert folders.model_folder("owner/tiny", "main") == tmp_path / "owner" / "tiny"
    assert folders.model_folder(str(tmp_path / "owner"), "a1" * 20) == tmp_path / "owner"


def in_hub_cache(home: Path, hub_id: str, commit: str, source: Path) -> None:
    """Lay a folder's files out as huggingface_hub keeps them, under revision `step1`."""
    cached = home / "hub" / f"models--{hub_id.replace('/', '--')}"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "step1").write_text(commit)
    (cached / "snapshots").mkdir()
    source.rename(cached / "snapshots" / commit)


def test_a_hub_model_comes_from_the_cache_and_offline_is_one_line(folder, tmp_path):
    """In a process of its own, as huggingface_hub reads its settings when it is imported."""
    in_hub_cache(tmp_path / "home", "owner/tiny", "c0ffee", folder)
    program = """
import sys
from udf.errors import UdfError
from udf.language_model.hub import repository
from udf.language_model.loading import using_model
assert not {"torch", "transformers", "huggingface_hub"} & set(sys.modules), "imported before it is needed"
with using_model("owner/tiny", "step1", "float32") as model:
    print(model.name, model.vocabulary_size)
found = repository("owner/tiny", "step1")
print(found.commit, "model.safetensors" in found.files)
for location, revision in (("owner/tiny", "step2"), ("owner/absent", "main")):
    try:
        with using_model(location, revision, "float32"):
            pass
    except UdfError as error:
        print(error)
"""
    environment = os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert lines[:2] == ["owner/tiny@step1 97", "c0ffee True"] and len(lines) == 4
    assert "'owner/tiny' at revision 'step2'" in lines[2] and "'owner/absent' at revision 'main'" in lines[3]
    assert run.stderr == ""
