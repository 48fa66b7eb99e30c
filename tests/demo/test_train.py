"""Training: the same weights each time, whole folders that transformers reads, and no work done twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memtax.demo.sizes import SIZES, ModelShape
from memtax.demo.train import TrainedCheckpoint, train_models
from memtax.demo.training_loop import precision, schedule, train
from memtax.errors import MemtaxError

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SHAPE = ModelShape("tiny", width=16, layers=1, heads=1, learning_rate=1e-2, epochs=3)
SIZE = replace(SIZES["small"], vocabulary=64, sequence_length=16, batch=4, models=(SHAPE,))
TOKENS = np.random.default_rng(0).integers(0, 64, (40, 16)).astype(np.uint16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="module")
def trained(folder: Path) -> list[TrainedCheckpoint]:
    return train_models(TOKENS, folder, SIZE)


@pytest.fixture
def threads() -> Iterator[None]:
    """Training in this very process sets its threads to one; the other tests get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_three_checkpoints_are_kept_at_their_shares_of_the_steps(
    folder: Path, trained: list[TrainedCheckpoint]
) -> None:
    # 40 sequences in batches of 4, three times: 30 steps; a quarter of them rounds to 8.
    assert [(one.model, one.revision, one.training_fraction) for one in trained] == [
        ("tiny", "step8", 0.25),
        ("tiny", "step15", 0.5),
        ("tiny", "step30", 1.0),
    ]
    assert [one.location for one in trained] == [folder / "models" / "tiny" / one.revision for one in trained]
    assert sorted(path.name for path in (folder / "models").iterdir()) == ["tiny"]


def test_transformers_reads_them_in_full_precision(trained: list[TrainedCheckpoint]) -> None:
    for one in trained:
        model = transformers.AutoModelForCausalLM.from_pretrained(one.location)
        assert type(model).__name__ == "GPTNeoXForCausalLM"
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
        assert sum(parameter.numel() for parameter in model.parameters()) == one.n_parameters
        assert model(torch.from_numpy(TOKENS[:2].astype(np.int64))).logits.shape == (2, 16, SIZE.vocabulary)
    assert len({weights(one.location) for one in trained}) == 3


def test_training_learns(trained: list[TrainedCheckpoint]) -> None:
    sequences = torch.from_numpy(TOKENS.astype(np.int64))
    losses = []
    for one in trained:
        model = transformers.AutoModelForCausalLM.from_pretrained(one.location)
        with torch.no_grad():
            losses.append(model(sequences, labels=sequences).loss.item())
    assert losses == sorted(losses, reverse=True)


def test_the_same_training_gives_the_same_weights(
    trained: list[TrainedCheckpoint], tmp_path: Path, threads: None
) -> None:
    train(TOKENS, SHAPE, SIZE, tmp_path / "tiny", "digest")
    for one in trained:
        assert weights(tmp_path / "tiny" / one.revision) == weights(one.location)


def test_a_finished_model_is_not_trained_again(
    folder: Path, trained: list[TrainedCheckpoint], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("memtax.demo.train._train_side_by_side", lambda *_: pytest.fail("trained again"))
    assert train_models(TOKENS, folder, SIZE) == trained
    assert "tiny is already trained" in capsys.readouterr().out


def test_other_tokens_or_an_incomplete_model_are_trained(
    folder: Path, trained: list[TrainedCheckpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[ModelShape]] = []

    def stop(tokens: np.ndarray, shapes: list[ModelShape], *_: object) -> None:
        asked.append(shapes)
        raise InterruptedError

    monkeypatch.setattr("memtax.demo.train._train_side_by_side", stop)
    second = replace(SHAPE, name="second")
    for tokens, size in ((TOKENS + np.uint16(1), SIZE), (TOKENS, replace(SIZE, models=(SHAPE, second)))):
        with pytest.raises(InterruptedError):
            train_models(tokens, folder, size)
    assert asked == [[SHAPE], [second]]


def test_a_training_that_fails_says_why_and_leaves_the_old_model(
    folder: Path, trained: list[TrainedCheckpoint]
) -> None:
    before = [weights(one.location) for one in trained]
    with pytest.raises(IndexError, match="out of range"):  # raised in the training's own process
        train_models(np.full_like(TOKENS, SIZE.vocabulary), folder, SIZE)
    assert [weights(one.location) for one in trained] == before


def test_a_training_that_is_killed_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtax.demo.train._die_when_interrupted", os.abort)
    with pytest.raises(MemtaxError, match="was killed"):
        train_models(TOKENS, tmp_path, SIZE)


def test_the_learning_rate_rises_stays_and_falls_to_nothing() -> None:
    rates = [schedule(step, 1000) for step in range(1001)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[49:601] == [1.0] * 552
    assert rates[800] == pytest.approx(0.5)
    assert rates[1000] == 0.0
    assert schedule(0, 1) == 1.0


def test_the_precision_is_one_that_the_processor_has() -> None:
    assert precision() in ("bfloat16", "float32")


def test_the_real_sizes_can_be_built() -> None:
    for size in SIZES.values():
        assert size.sequence_length >= 64
        assert len(size.checkpoints) == 3
        assert size.checkpoints[-1] == 1.0
        assert len(size.models) == 2
        assert all(shape.width % shape.heads == 0 for shape in size.models)
