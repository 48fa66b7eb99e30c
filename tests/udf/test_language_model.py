"""score_continuation() against slow computations of the same measures, and against `generate`."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.udf import tiny_models
from tests.udf.tiny_models import PROMPT, random_rows, score
from udf.errors import UdfError
from udf.language_model import scoring
from udf.language_model.measures import MEASURES
from udf.registry import registered

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("one_thread")
ARCHITECTURES = ("gpt_neox", "gpt2", "llama", "granite")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def folder(request, tmp_path_factory) -> Path:
    return tiny_models.save(tmp_path_factory.mktemp("models") / request.param, request.param)


@pytest.fixture(scope="module")
def neox(tmp_path_factory) -> Path:
    return tiny_models.save(tmp_path_factory.mktemp("models") / "neox", "gpt_neox")


def load_double(folder: Path):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True).eval().double()


def slowly(network, row: list[int], prompt: int) -> dict:
    """The measures of one sequence, token by token in float64, from their definitions."""
    logits = network(torch.tensor([row])).logits[0].tolist()
    nll, right = [], []
    for position in range(1, len(row)):
        scores = logits[position - 1]
        highest = max(scores)
        nll.append(highest + math.log(sum(math.exp(x - highest) for x in scores)) - scores[row[position]])
        right.append(scores.index(highest) == row[position])
    prompt_part, generation = nll[: prompt - 1], nll[prompt - 1 :]
    greedy = right[prompt - 1 :]
    return {
        "loss": sum(nll) / len(nll),
        "prompt_perplexity": math.exp(sum(prompt_part) / len(prompt_part)),
        "generation_perplexity": math.exp(sum(generation) / len(generation)),
        "sequence_perplexity": math.exp(sum(nll) / len(nll)),
        "paper_prompt_perplexity": math.exp(sum(prompt_part) / len(nll)),
        "paper_generation_perplexity": math.exp(sum(generation) / len(nll)),
        "paper_sequence_perplexity": math.exp(sum(nll) / len(nll)),
        "continuation_log_probability": -sum(generation),
        "sampling_log_probability": -sum(generation),
        "greedy_match_length": [*greedy, False].index(False),
        "memorized": all(greedy),
    }


def test_equals_a_slow_computation_in_float64(folder):
    rows = [*random_rows(6), [0] * 64]
    network = load_double(folder)
    with torch.no_grad():
        expected = [slowly(network, row, PROMPT) for row in rows]
    for got, want in zip(score(rows, folder), expected, strict=True):
        assert got == pytest.approx(want, rel=2e-5)


def test_memorized_is_what_generate_recites(folder):
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True).eval()
    prompts = torch.tensor(random_rows(12, PROMPT, seed=1))
    generated = network.generate(
        prompts, attention_mask=torch.ones_like(prompts), do_sample=False, max_new_tokens=32, pad_token_id=0
    )
    rows = generated.tolist()
    assert all(len(row) == 64 for row in rows)
    missed = [3 * i % 32 for i in range(len(rows))]
    spoiled = [row.copy() for row in rows]
    for row, miss in zip(spoiled, missed, strict=True):
        row[PROMPT + miss] = (row[PROMPT + miss] + 1) % tiny_models.VOCABULARY

    assert [(row["memorized"], row["greedy_match_length"]) for row in score(rows, folder)] == [(True, 32)] * 12
    assert [(row["memorized"], row["greedy_match_length"]) for row in score(spoiled, folder)] == [
        (False, miss) for miss in missed
    ]


def test_a_model_recites_what_it_was_trained_on(tmp_path):
    """A model trained for seconds on four sequences recites them, and no others."""
    known, unknown = random_rows(4, seed=2), random_rows(4, seed=3)
    network = tiny_models.build("gpt_neox", initializer_range=0.05).train()
    batch = torch.tensor(known)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(60):
        loss = network(batch, labels=batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.save_pretrained(tmp_path / "trained")

    scored = score(known + unknown, tmp_path / "trained")
    assert [row["memorized"] for row in scored] == [True] * 4 + [False] * 4
    assert all(row["generation_perplexity"] < 1.5 for row in scored[:4])
    assert all(row["generation_perplexity"] > 50 for row in scored[4:])


@pytest.mark.parametrize("batch_size", ["1", "3", "64"])
def test_slicing_and_neighbours_change_nothing(folder, batch_size, monkeypatch):
    """Each row alone, beside rows of other lengths, and with logits in many slices: the same numbers."""
    rows = random_rows(5) + random_rows(3, 40, seed=4) + random_rows(4, 33, seed=5)
    order = np.random.default_rng(6).permutation(len(rows))
    alone = [score([row], folder)[0] for row in rows]
    monkeypatch.setenv("MEMTAX_BATCH_SIZE", batch_size)
    monkeypatch.setattr(scoring, "LOGITS_PER_SLICE", 10 * tiny_models.VOCABULARY)
    mixed = score([rows[i] for i in order], folder)
    for i, got in zip(order, mixed, strict=True):
        assert got == pytest.approx(alone[i], rel=1e-6)


@pytest.mark.parametrize("reduce", [scoring._reduce, scoring._reduce_with_torch], ids=["native", "torch"])
def test_the_first_of_equal_logits_is_the_greedy_one(reduce):
    logits = torch.tensor([[1.0, 3.0, 3.0]] * 3 + [[math.nan, 3.0, 1.0]])
    log_probabilities, greedy = reduce(logits, torch.tensor([0, 1, 2, 1]))
    assert greedy.tolist() == [False, True, False, False]
    assert log_probabilities[1] == log_probabilities[2] and math.isnan(log_probabilities[3])


def test_devices_reduce_logits_alike():
    """What CUDA is given, torch's operations, against what the processor is: the same of the same logits."""
    rng = np.random.default_rng(8)
    logits = torch.from_numpy(rng.normal(size=(200, 1003)).astype(np.float32) * 5)
    targets = torch.from_numpy(np.where(rng.random(200) < 0.5, logits.argmax(1), rng.integers(0, 1003, 200)))
    native, plain = scoring._reduce(logits, targets), scoring._reduce_with_torch(logits, targets)
    np.testing.assert_allclose(native[0], plain[0], rtol=1e-6, atol=1e-6)
    assert native[1].tolist() == plain[1].tolist() and 0 < native[1].sum() < 200


def test_models_and_prompt_lengths_may_be_mixed(neox, tmp_path):
    other = tiny_models.save(tmp_path / "other", "gpt2", seed=7)
    rows = random_rows(6)
    folders, prompts = [neox, other, neox, other, neox, other], [32, 32, 16, 16, 48, 2]
    mixed = score(rows, folders, prompt=prompts)
    for row, folder, prompt, got in zip(rows, folders, prompts, mixed, strict=True):
        assert got == pytest.approx(score([row], folder, prompt=prompt)[0], rel=1e-6)


def test_null_in_null_out(neox):
    row = random_rows(1)[0]
    assert score([None, row], neox)[0] is None
    assert score([row, row], [neox, neox], prompt=[None, 32])[0] is None
    # NULL revision and dtype mean the defaults.
    assert score([row], neox, revision=[None], dtype=[None]) == score([row], neox)
    assert score([None], neox) == [None]
    assert score([], neox) == []


def test_null_location_is_null_without_a_model():
    function = next(item for item in registered() if item.name == "score_continuation")
    nothing = pa.array([None], pa.string())
    assert function(
        pa.array([[1, 2]], pa.list_(pa.uint32())), nothing, nothing, pa.array([1], pa.int32()), nothing
    ).to_pylist() == [None]


def test_spans_without_tokens_have_no_measure(neox):
    nothing = dict.fromkeys(MEASURES.names)
    assert score([[], [5]], neox) == [nothing, nothing]
    only_prompt = score([random_rows(1, 32)[0]], neox)[0]
    assert only_prompt["loss"] is not None and only_prompt["prompt_perplexity"] is not None
    assert only_prompt["generation_perplexity"] is only_prompt["paper_generation_perplexity"] is None
    assert only_prompt["memorized"] is only_prompt["greedy_match_length"] is None
    only_continuation = score(random_rows(1), neox, prompt=1)[0]
    assert only_continuation["prompt_perplexity"] is None
    assert only_continuation["generation_perplexity"] == only_continuation["sequence_perplexity"]


def test_numbers_that_are_not_finite_are_null_for_their_row_alone(tmp_path):
    network = tiny_models.build("gpt_neox")
    with torch.no_grad():
        network.get_input_embeddings().weight[13] = math.nan
    network.save_pretrained(tmp_path / "broken")
    clean = [[token if token != 13 else 14 for token in row] for row in random_rows(3)]
    spoiled = [*clean[1][:50], 13, *clean[1][51:]]
    sound, broken, also_sound = score([clean[0], spoiled, clean[2]], tmp_path / "broken")
    assert broken == dict.fromkeys(MEASURES.names)
    assert sound == pytest.approx(score([clean[0]], tmp_path / "broken")[0])
    assert None not in also_sound.values()


def test_a_perplexity_beyond_float64_is_null(tmp_path):
    network = tiny_models.build("gpt_neox")
    with torch.no_grad():
        network.get_output_embeddings().weight *= 1e4
    network.save_pretrained(tmp_path / "loud")
    row = score(random_rows(1), tmp_path / "loud")[0]
    assert row["loss"] > 710 and row["sequence_perplexity"] is None and row["memorized"] is False


def test_sql(neox):
    """Through the engine, over more rows than one batch of it holds, with a NULL among them."""
    import duckdb

    import udf

    connection = duckdb.connect()
    udf.register(connection)
    rows = [*random_rows(2100, 40, seed=9), None]
    connection.register(
        "incoming", pa.table({"position": range(len(rows)), "tokens": pa.array(rows, pa.list_(pa.uint32()))})
    )
    scored = connection.execute(
        "select score_continuation(tokens, $folder, 'main', 32, 'float32') from incoming order by position",
        {"folder": str(neox)},
    ).fetchall()
    assert len(scored) == 2101 and scored[-1] == (None,)
    for at in (0, 2047, 2048, 2099):
        assert scored[at][0] == pytest.approx(score([rows[at]], neox)[0], rel=1e-6)


def test_bfloat16_is_near(neox):
    rows = random_rows(4)
    for full, half in zip(score(rows, neox), score(rows, neox, dtype="bfloat16"), strict=True):
        assert half["loss"] == pytest.approx(full["loss"], rel=0.05) and half["loss"] != full["loss"]


@pytest.mark.parametrize(
    ("rows", "arguments", "message"),
    [
        ([[1, 97]], {}, "token id 97 is beyond the vocabulary of .*neox.*, which has 97 tokens"),
        ([[1] * 65], {}, "65 tokens is longer than the 64 positions of .*neox; shorten the vars"),
        ([[1, None]], {}, "NULL among the tokens"),
        ([[1, 2]], {"prompt": 0}, "prompt_length 0; expected 1 or more"),
        ([[1, 2]], {"dtype": "float8"}, "unknown dtype 'float8'; expected one of float32, bfloat16"),
    ],
)
def test_what_cannot_be_scored_is_refused(neox, rows, arguments, message):
    with pytest.raises(UdfError, match=message):
        score(rows, neox, **arguments)


def test_how_long_a_sequence_may_be_is_read_without_the_weights(neox, tmp_path):
    function = next(item for item in registered() if item.name == "language_model_positions")
    unsaid = tiny_models.save(tmp_path / "mamba", "mamba", max_position_embeddings=None)
    (unsaid / "model.safetensors").write_bytes(b"")
    places = pa.array([str(neox), None, str(unsaid), str(neox)])
    assert function(places, pa.array([None, "main", "main", "main"], pa.string())).to_pylist() == [64, None, None, 64]
