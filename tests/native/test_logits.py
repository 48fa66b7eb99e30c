"""The reduction of logits against the reference, in every instruction set."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtax_native import reference, score_logits

SETS = ("avx512", "avx2", "portable")
LOGITS = st.floats(-1e4, 1e4, width=32) | st.sampled_from([0.0, 5.0, -math.inf, math.inf, math.nan])


def available() -> list[str]:
    found = []
    for name in SETS:
        try:
            score_logits(np.zeros((1, 1), np.float32), np.zeros(1, np.int64), 1, name)
        except ValueError:
            continue
        found.append(name)
    return found


@settings(max_examples=200)
@given(st.lists(LOGITS, min_size=1, max_size=70), st.data(), st.sampled_from(available()))
def test_a_row_is_that_of_the_reference(row: list[float], data: st.DataObject, instruction_set: str) -> None:
    target = data.draw(st.integers(0, len(row) - 1))
    expected, greedy = reference.score_logits(row, target)
    found, choice = score_logits(np.array([row], np.float32), np.array([target]), 1, instruction_set)
    assert choice[0] == greedy
    assert found[0] == pytest.approx(expected, rel=1e-6, abs=2e-7, nan_ok=True)


@pytest.mark.parametrize("instruction_set", available())
@pytest.mark.parametrize("size", [1, 2047, 2048, 2049, 50_304])
@pytest.mark.parametrize("threads", [1, 2])
def test_large_vocabularies(size: int, threads: int, instruction_set: str) -> None:
    rng = np.random.default_rng(size)
    logits = (rng.normal(size=(9, size)) * 4).astype(np.float32)
    logits[3] = np.sort(logits[3])  # the largest so far changes with every block
    logits[4, : size // 2] = -np.inf
    targets = rng.integers(0, size, 9)
    targets[::2] = logits[::2].argmax(1)
    found, greedy = score_logits(logits, targets, threads, instruction_set)
    wide = logits.astype(np.float64)
    highest = wide.max(1)
    expected = wide[np.arange(9), targets] - highest - np.log(np.exp(wide - highest[:, None]).sum(1))
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-6)
    assert greedy.tolist() == (logits.argmax(1) == targets).tolist()


@pytest.mark.parametrize("instruction_set", available())
def test_no_probability_is_above_one(instruction_set: str) -> None:
    """Where the target is all but certain, in whichever block it is; and the greedy choice is the first of equals."""
    rng = np.random.default_rng(3)
    logits = np.sort(rng.normal(size=(64, 9001)) * 8).astype(np.float32)
    targets = rng.integers(0, 9001, 64)
    logits[np.arange(64), targets] = logits.max(1) + rng.uniform(10, 90, 64).astype(np.float32)
    found, greedy = score_logits(logits, targets, 1, instruction_set)
    assert (found <= 0).all() and (found > -0.5).all() and greedy.all()
    highest = logits[np.arange(64), targets].astype(np.float64)
    expected = -np.log(np.exp(logits - highest[:, None]).sum(1))
    np.testing.assert_allclose(found, expected, atol=1e-7)
    logits[:, 0] = highest
    assert score_logits(logits, targets, 1, instruction_set)[1].tolist() == (targets == 0).tolist()


def test_a_nan_after_many_masked_tokens_is_seen() -> None:
    row = np.full((1, 5000), -np.inf, np.float32)
    row[0, 4999] = 1.0
    assert score_logits(row, np.array([4999]))[0].tolist() == [0.0]
    row[0, 17] = np.nan
    found, greedy = score_logits(row, np.array([4999]))
    assert math.isnan(found[0]) and not greedy[0]


@pytest.mark.parametrize(
    ("logits", "targets", "error", "message"),
    [
        (np.zeros((2, 3), np.float64), np.zeros(2, np.int64), TypeError, "contiguous float32 array of two dimensions"),
        (np.zeros((2, 6), np.float32)[:, ::2], np.zeros(2, np.int64), TypeError, "contiguous float32"),
        (np.zeros((2, 3), np.float32), np.zeros(1, np.int64), ValueError, "one token for each of the 2 rows"),
        (np.zeros((2, 3), np.float32), np.array([0, 3]), ValueError, "target 3 in row 1 is not one of the 3 tokens"),
        (np.zeros((2, 3), np.float32), np.array([-1, 0]), ValueError, "target -1 in row 0"),
    ],
)
def test_what_cannot_be_reduced_is_refused(logits, targets, error, message) -> None:
    with pytest.raises(error, match=message):
        score_logits(logits, targets)
