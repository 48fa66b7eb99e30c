"""generate_continuation() against transformers' own greedy generation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.udf import tiny_models
from udf.errors import UdfError
from udf.language_model import generation
from udf.language_model.loading import release_model
from udf.registry import registered

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("one_thread")
PROMPT, LENGTH = 16, 40


@pytest.fixture(scope="module", params=("gpt_neox", "gpt2", "llama", "granite", "mamba"))
def folder(request, tmp_path_factory) -> Path:
    """With a key-value cache, and (Mamba) without one."""
    return tiny_models.save(tmp_path_factory.mktemp("models") / request.param, request.param)


def call(name, rows, folder, *columns):
    function = next(item for item in registered() if item.name == name)
    n = len(rows)
    rest = [pa.array(column, pa.int32()) for column in columns]
    last = pa.array([None] * n, function.parameters[-1])
    tokens = pa.array(rows, pa.list_(pa.uint32()))
    return function(tokens, pa.array([str(folder)] * n), pa.array([None] * n, pa.string()), *rest, last).to_pylist()


def spoiled_recitations(folder: Path, n: int) -> tuple[list[list[int]], list[list[int]]]:
    """Greedy generations, and copies of them with one wrong token each, at different places."""
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True).eval()
    prompts = torch.tensor(np.random.default_rng(1).integers(0, tiny_models.VOCABULARY, (n, PROMPT)))
    made = network.generate(prompts, do_sample=False, max_new_tokens=LENGTH - PROMPT, pad_token_id=0).tolist()
    spoiled = [row.copy() for row in made]
    for number, row in enumerate(spoiled):
        at = PROMPT + 5 * number % (LENGTH - PROMPT)
        row[at] = (row[at] + 1) % tiny_models.VOCABULARY
    return made, spoiled


@pytest.mark.parametrize("batch_size", ["1", "3", "64"])
def test_equals_generate(folder, batch_size, monkeypatch):
    monkeypatch.setenv("MEMTAX_BATCH_SIZE", batch_size)
    made, rows = spoiled_recitations(folder, 7)
    scored = call("score_continuation", rows, folder, [PROMPT] * 7)
    matched = [row["greedy_match_length"] for row in scored]
    assert len(set(matched)) > 3
    generated = call("generate_continuation", rows, folder, [PROMPT] * 7, matched)
    # The wrong token is all that is wrong: the model, which wrote the rest, goes on as it did.
    assert generated == [row[PROMPT:] for row in made]


def test_the_token_that_was_missed_is_never_generated(folder):
    """Where a close call is rounded otherwise than in the scoring pass, the miss stays a miss."""
    made, _ = spoiled_recitations(folder, 3)
    generated = call("generate_continuation", made, folder, [PROMPT] * 3, [0, 4, 9])
    for row, found, matched in zip(made, generated, (0, 4, 9), strict=True):
        assert found[:matched] == row[PROMPT : PROMPT + matched]
        assert found[matched] != row[PROMPT + matched]


def test_out_of_memory_halves_the_batch(folder, monkeypatch):
    made, rows = spoiled_recitations(folder, 7)
    sizes, whole = [], generation._continue_batch

    def cramped(model, tokens, misses):
        sizes.append(len(tokens))
        if len(tokens) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(model, tokens, misses)

    monkeypatch.setattr(generation, "_continue_batch", cramped)
    matched = [row["greedy_match_length"] for row in call("score_continuation", rows, folder, [PROMPT] * 7)]
    assert call("generate_continuation", rows, folder, [PROMPT] * 7, matched) == [row[PROMPT:] for row in made]
    assert sizes == [7, 3, 1, 1, 1, 1, 1, 1, 1]
    release_model()  # which remembers what fits


def test_numbers_that_are_not_finite_are_null_for_their_row_alone(folder, monkeypatch):
    """A pass over the true tokens may be sound where one over the model's own is not."""
    _, rows = spoiled_recitations(folder, 3)
    matched = [row["greedy_match_length"] for row in call("score_continuation", rows, folder, [PROMPT] * 3)]
    expected = call("generate_continuation", rows, folder, [PROMPT] * 3, matched)
    steps, whole = [], generation._step

    def poisoned(*arguments):
        logits, cache = whole(*arguments)
        steps.append(len(logits))
        if len(steps) == LENGTH - PROMPT:  # the last token
            logits[1, 5] = float("nan")
        return logits, cache

    monkeypatch.setattr(generation, "_step", poisoned)
    order = np.argsort(matched, kind="stable")
    expected[order[1]] = None
    assert call("generate_continuation", rows, folder, [PROMPT] * 3, matched) == expected
    assert len(steps) == LENGTH - PROMPT - min(matched)


def test_null_in_null_out(folder):
    _, rows = spoiled_recitations(folder, 2)
    found = call("generate_continuation", [rows[0], None, rows[1]], folder, [PROMPT] * 3, [None, 0, 0])
    assert found[:2] == [None, None] and len(found[2]) == LENGTH - PROMPT
    assert call("generate_continuation", [], folder, [], []) == []


@pytest.mark.parametrize("matched", [-1, LENGTH - PROMPT])
def test_a_miss_outside_the_continuation_is_refused(folder, matched):
    with pytest.raises(UdfError, match="expected a prompt, and a first miss within each continuation"):
        call("generate_continuation", spoiled_recitations(folder, 1)[0], folder, [PROMPT], [matched])
