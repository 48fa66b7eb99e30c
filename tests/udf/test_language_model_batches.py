"""How sequences are dealt out to passes: what does not fit is halved, and nobody is padded to another batch's length."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from tests.udf import tiny_models
from tests.udf.tiny_models import random_rows, score
from udf.errors import UdfError
from udf.language_model import batches, scoring
from udf.language_model.loading import release_model
from udf.scan_progress import ScanProgress

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def neox(tmp_path_factory) -> Path:
    return tiny_models.save(tmp_path_factory.mktemp("models") / "neox", "gpt_neox")


@pytest.fixture(scope="module", params=["llama", "granite"])
def folder(request, tmp_path_factory) -> Path:
    return tiny_models.save(tmp_path_factory.mktemp("models") / request.param, request.param)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("could not create a primitive"),
        RuntimeError("could not create a memory object"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
    ],
    ids=["cpu", "cuda", "cuda later", "processor", "primitive", "onednn", "handle", "cublas", "numpy"],
)
def test_out_of_memory_halves_the_batch(neox, monkeypatch, error):
    """As long as the model stays loaded: the next call begins with what fits."""
    release_model()
    rows, sizes = random_rows(11), []
    expected = score(rows, neox)
    whole = scoring._score_batch

    def cramped(model, tokens, *rest):
        sizes.append(len(tokens))
        if len(tokens) > 3:
            raise error
        return whole(model, tokens, *rest)

    monkeypatch.setattr(scoring, "_score_batch", cramped)
    monkeypatch.setenv("MEMTAX_BATCH_SIZE", "8")
    for got, want in zip(score(rows, neox), expected, strict=True):
        assert got == pytest.approx(want, rel=1e-6)
    assert sizes == [8, 4, 2, 2, 2, 2, 2, 1]
    score(rows[:3], neox)
    score([row[:20] for row in rows], neox)  # of shorter sequences more fit
    assert sizes[8:] == [2, 1, 6, 3, 3, 3, 2]
    release_model()
    monkeypatch.setattr(scoring, "_score_batch", whole)
    score(rows, neox)
    assert len(sizes) == 15


def watch_batches(monkeypatch) -> list[tuple[int, int]]:
    """The shapes of the batches that are scored from now on."""
    shapes, whole = [], scoring._score_batch

    def watched(model, tokens, *rest):
        shapes.append(tokens.shape)
        return whole(model, tokens, *rest)

    monkeypatch.setattr(scoring, "_score_batch", watched)
    return shapes


def test_a_batch_is_as_wide_as_its_longest_sequence(neox, monkeypatch):
    rows = random_rows(2, 64) + random_rows(2, 10, seed=1) + [[3], [4]]
    expected = [score([row], neox, prompt=4)[0] for row in rows]
    monkeypatch.setenv("MEMTAX_BATCH_SIZE", "2")
    shapes = watch_batches(monkeypatch)
    for got, want in zip(score(rows, neox, prompt=4), expected, strict=True):
        assert got == (want if want["loss"] is None else pytest.approx(want, rel=1e-5))
    assert [width for _, width in shapes[-2:]] == [10, 64]


def test_logits_that_are_made_at_once_bound_the_batch(folder, monkeypatch):
    monkeypatch.setattr(scoring, "LOGITS_PER_BATCH", 3 * 63 * tiny_models.VOCABULARY + 5)
    shapes = watch_batches(monkeypatch)
    score(random_rows(7), folder)
    assert [n for n, _ in shapes] == ([3, 3, 1] if folder.name == "granite" else [7])
    shapes.clear()
    monkeypatch.setattr(scoring, "LOGITS_PER_BATCH", 1)
    score(random_rows(2), folder)
    assert [n for n, _ in shapes] == ([1, 1] if folder.name == "granite" else [2])


def test_one_sequence_that_does_not_fit_is_refused(neox, monkeypatch):
    def never(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(scoring, "_score_batch", never)
    with pytest.raises(UdfError, match=r"one sequence of 64 tokens does not fit into memory beside .*neox"):
        score(random_rows(3), neox)


def test_what_is_done_counts_as_progress(neox, monkeypatch):
    release_model()  # one that ran out of memory keeps to small batches
    said = list[str]()
    progress = ScanProgress(count(step=10.0).__next__, said.append)
    monkeypatch.setattr(batches, "scan_progress", progress)
    monkeypatch.setenv("MEMTAX_BATCH_SIZE", "2")
    progress.begin("scores, neox@main", 5)
    score(random_rows(5), neox)
    assert said == [f"scores, neox@main: {n} of 5 sequences in {n * 5} s, about {(5 - n) * 5} s left" for n in (2, 4)]


@pytest.mark.parametrize("size", ["0", "-1", "many", "²"])
def test_a_batch_size_that_is_none_is_refused(neox, monkeypatch, size):
    monkeypatch.setenv("MEMTAX_BATCH_SIZE", size)
    with pytest.raises(UdfError, match="is not a batch size"):
        score([[1, 2]], neox)
