"""Which checkpoints are used again, and that none is ever half there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memtax.demo.checkpoints import RECORD, TrainedCheckpoint, fingerprint, finished, replacing, write_record
from memtax.demo.sizes import SIZES

SIZE = SIZES["small"]
SHAPE = SIZE.models[0]
TOKENS = np.arange(128, dtype=np.uint16).reshape(2, 64)


def leave_model(place: Path, digest: str) -> None:
    with replacing(place) as folder:
        for revision in ("step1", "step2"):
            (folder / revision).mkdir()
            (folder / revision / "config.json").write_text("{}", encoding="utf-8")
            (folder / revision / "model.safetensors").write_bytes(b"weights")
        write_record(folder, digest, {"step1": 0.5, "step2": 1.0}, 7)


def test_a_finished_model_is_found_under_its_own_fingerprint_alone(tmp_path: Path) -> None:
    place = tmp_path / "models" / "demo"
    assert finished(place, "a") is None
    leave_model(place, "a")
    assert finished(place, "a") == [
        TrainedCheckpoint("demo", "step1", place / "step1", 0.5, 7),
        TrainedCheckpoint("demo", "step2", place / "step2", 1.0, 7),
    ]
    assert finished(place, "b") is None


@pytest.mark.parametrize(
    "record", ["", "null", "[]", "{}", '{"fingerprint": "a"}', '{"fingerprint": "a", "checkpoints": 3}']
)
def test_a_record_that_cannot_be_read_means_another_training(tmp_path: Path, record: str) -> None:
    leave_model(tmp_path / "demo", "a")
    (tmp_path / "demo" / RECORD).write_text(record, encoding="utf-8")
    assert finished(tmp_path / "demo", "a") is None


@pytest.mark.parametrize("lost", ["config.json", "model.safetensors"])
def test_a_lost_file_means_another_training(tmp_path: Path, lost: str) -> None:
    leave_model(tmp_path / "demo", "a")
    (tmp_path / "demo" / "step2" / lost).unlink()
    assert finished(tmp_path / "demo", "a") is None


def test_what_fails_half_way_leaves_the_old_model(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    leave_model(place, "a")
    with pytest.raises(KeyboardInterrupt), replacing(place) as folder:
        (folder / "step1").mkdir()
        raise KeyboardInterrupt
    assert finished(place, "a") is not None


def test_a_new_model_leaves_nothing_of_the_old_one_or_of_an_unfinished_one(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    leave_model(place, "a")
    (place / "step999").mkdir()
    (tmp_path / "demo.unfinished" / "step5").mkdir(parents=True)
    leave_model(place, "b")
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    assert sorted(path.name for path in place.iterdir()) == ["step1", "step2", RECORD]


def test_everything_that_shapes_the_weights_is_in_the_fingerprint() -> None:
    base = fingerprint(TOKENS, SHAPE, SIZE, "float32")
    assert fingerprint(TOKENS.copy(), SHAPE, replace(SIZE, sample=1), "float32") == base
    others = [
        fingerprint(TOKENS + np.uint16(1), SHAPE, SIZE, "float32"),
        fingerprint(TOKENS.reshape(4, 32), SHAPE, SIZE, "float32"),
        fingerprint(TOKENS, replace(SHAPE, epochs=99), SIZE, "float32"),
        fingerprint(TOKENS, SHAPE, replace(SIZE, seed=1), "float32"),
        fingerprint(TOKENS, SHAPE, replace(SIZE, batch=3), "float32"),
        fingerprint(TOKENS, SHAPE, replace(SIZE, checkpoints=(1.0,)), "float32"),
        fingerprint(TOKENS, SHAPE, SIZE, "bfloat16"),
    ]
    assert len({base, *others}) == len(others) + 1
