"""What else the one pass gives: sampling, token log-probabilities and attention, against slow computations in float64."""

from __future__ import annotations

import math
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.udf import tiny_models
from udf.errors import UdfError
from udf.language_model import OPTIONS, attention
from udf.registry import registered

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("one_thread")
PROMPT = 20


@pytest.fixture(scope="module", params=("gpt_neox", "gpt2", "llama", "granite"))
def folder(request, tmp_path_factory) -> Path:
    return tiny_models.save(tmp_path_factory.mktemp("models") / request.param, request.param)


@pytest.fixture(scope="module")
def neox(tmp_path_factory) -> Path:
    return tiny_models.save(tmp_path_factory.mktemp("models") / "neox", "gpt_neox")


def score(rows, folder, prompt=PROMPT, **options) -> list[dict | None]:
    function = next(item for item in registered() if item.name == "score_continuation_with")
    n = len(rows)
    return function(
        pa.array(rows, pa.list_(pa.uint32())),
        pa.array([str(folder)] * n),
        pa.array(["main"] * n),
        pa.array(prompt if isinstance(prompt, list) else [prompt] * n, pa.int32()),
        pa.array([options or None] * n, OPTIONS),
    ).to_pylist()


def random_rows(n: int, length: int = 48, seed: int = 0) -> list[list[int]]:
    return np.random.default_rng(seed).integers(0, tiny_models.VOCABULARY, (n, length)).tolist()


def load_double(folder: Path):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        folder, use_safetensors=True, attn_implementation="eager", dtype=torch.float64
    ).eval()


def sampled_slowly(logits: list[list[float]], row: list[int], prompt: int, temperature: float, top_k: int) -> float:
    total = 0.0
    for position in range(prompt, len(row)):
        scores = [logit / temperature for logit in logits[position - 1]]
        if top_k:
            lowest = sorted(scores, reverse=True)[top_k - 1]
            scores = [score if score >= lowest else -math.inf for score in scores]
        if scores[row[position]] == -math.inf:
            return -math.inf
        total += scores[row[position]] - math.log(math.fsum(math.exp(score) for score in scores))
    return total


@pytest.mark.parametrize(("temperature", "top_k"), [(0.7, 0), (1.0, 60), (1.5, 90), (1.0, 1), (1.0, 1000)])
def test_sampling_equals_a_slow_computation(folder, temperature, top_k):
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True).eval()
    recited = network.generate(
        torch.tensor(random_rows(2, PROMPT)), do_sample=False, max_new_tokens=28, pad_token_id=0
    ).tolist()
    rows = random_rows(4) + recited
    double = load_double(folder)
    for row, got in zip(rows, score(rows, folder, temperature=temperature, top_k=top_k), strict=True):
        with torch.no_grad():
            logits = double(torch.tensor([row])).logits[0].tolist()
        expected = sampled_slowly(logits, row, PROMPT, temperature, min(top_k, tiny_models.VOCABULARY))
        assert got["sampling_log_probability"] == pytest.approx(expected, rel=2e-5, abs=1e-6)
        if top_k == 1:  # all or nothing: only what greedy decoding gives can come up
            assert (got["sampling_log_probability"] == 0) == got["memorized"]


@pytest.mark.parametrize("top_k", [0, 5])
def test_a_low_temperature_costs_no_digits(top_k):
    from udf.language_model.scoring import Request, _sampling

    logits = 80 + torch.randn(50, 97, generator=torch.Generator().manual_seed(0)) * 0.01
    targets = logits.argmax(1)
    found = _sampling(logits, targets, Request(temperature=0.01, top_k=top_k))
    scaled = logits.double() / 0.01
    kept = scaled if top_k == 0 else scaled.topk(top_k, dim=1).values
    expected = scaled.gather(1, targets[:, None]).squeeze(1) - kept.logsumexp(1)
    assert found == pytest.approx(expected.numpy(), rel=1e-5)


def test_logits_that_equal_the_last_of_the_top_k_may_be_sampled_too():
    from udf.language_model.scoring import Request, _sampling

    logits = torch.tensor([[3.0, 1.0, 1.0, 1.0, 0.0]]).repeat(3, 1)
    found = _sampling(logits, torch.tensor([0, 3, 4]), Request(temperature=2.0, top_k=2))
    total = math.exp(1.5) + 3 * math.exp(0.5)
    assert np.exp(found) == pytest.approx([math.exp(1.5) / total, math.exp(0.5) / total, 0.0])


def test_tokens_add_up_to_the_measures(folder):
    rows = [*random_rows(3), random_rows(1, 30, seed=4)[0], [7]]
    for row, got in zip(rows, score(rows, folder, token_log_probabilities=True), strict=True):
        each = got["token_log_probabilities"]
        if len(row) == 1:
            assert each is None
            continue
        assert len(each) == len(row) - 1
        assert -sum(each) / len(each) == pytest.approx(got["loss"])
        assert sum(each[PROMPT - 1 :]) == pytest.approx(got["continuation_log_probability"])
        assert got["entropy_heads"] is None
    assert score(rows[:1], folder)[0]["token_log_probabilities"] is None


def gini(values: list[float]) -> float:
    """By its definition: half the mean absolute difference, relative to the mean."""
    n = len(values)
    return sum(abs(x - y) for x in values for y in values) / (2 * n * sum(values))


def attention_slowly(weights: list[list[float]]) -> list[float]:
    entropies, ginis = [], []
    for i, row in enumerate(weights):
        if i:
            visible = row[: i + 1]
            entropies.append(-sum(a * math.log(a) for a in visible if a) / math.log(i + 1))
            ginis.append(gini(visible) * (i + 1) / i)
    everything = [a for row in weights for a in row]
    return [
        sum(entropies) / len(entropies),
        sum(ginis) / len(ginis),
        -sum(a * math.log(a + 1e-8) for a in everything),
        gini(everything),
    ]


def test_attention_equals_a_slow_computation(folder):
    rows = [*random_rows(2, 12), random_rows(1, 9, seed=3)[0]]
    double = load_double(folder)
    for row, got in zip(rows, score(rows, folder, prompt=4, attention=True), strict=True):
        with torch.no_grad():
            layers = double(torch.tensor([row]), output_attentions=True).attentions
        for number, name in enumerate(("entropy", "gini", "paper_entropy", "paper_gini")):
            expected = [[attention_slowly(head.tolist())[number] for head in layer[0]] for layer in layers]
            np.testing.assert_allclose(got[f"{name}_heads"], expected, rtol=1e-4, atol=1e-5)
        assert got["loss"] == pytest.approx(score([row], folder, prompt=4)[0]["loss"], rel=1e-5)


def test_attention_of_nested_modules_is_reduced_once(tmp_path):
    place = tiny_models.save(tmp_path / "neo", "gpt_neo")
    row = random_rows(1, 12)[0]
    with torch.no_grad():
        layers = load_double(place)(torch.tensor([row]), output_attentions=True).attentions
    got = score([row], place, prompt=4, attention=True)[0]
    expected = [[attention_slowly(head.tolist())[3] for head in layer[0]] for layer in layers]
    np.testing.assert_allclose(got["paper_gini_heads"], expected, rtol=1e-4, atol=1e-5)


def test_attention_is_between_one_place_and_all():
    uniform = torch.ones(6, 6).tril() / torch.arange(1, 7)[:, None]
    found = attention.statistics(torch.stack([torch.eye(6), uniform])[None])[0]
    assert found[0, :2].tolist() == pytest.approx([0, 1], abs=1e-6)
    assert found[1, :2].tolist() == pytest.approx([1, 0], abs=1e-6)


def test_where_a_sink_takes_mass_the_rest_is_compared():
    """As if the rows had been divided by their sums; the paper's definitions take the weights as they are."""
    uniform = torch.ones(6, 6).tril() / torch.arange(1, 7)[:, None]
    weights = torch.stack([torch.eye(6), uniform, torch.zeros(6, 6)])[None]
    sunk = weights * 0.25
    found = attention.statistics(sunk)[0]
    assert found[:2, :2].flatten().tolist() == pytest.approx([0, 1, 1, 0], abs=1e-6)
    assert found[1, 2].item() == pytest.approx(-(sunk[0, 1] * (sunk[0, 1] + 1e-8).log()).sum().item(), rel=1e-5)
    assert found[2, :3].tolist() == [0, 0, 0]


def test_a_model_that_shows_no_attention_has_empty_lists(tmp_path):
    place = tiny_models.save(tmp_path / "mamba", "mamba")
    rows = [*random_rows(2), random_rows(1, 30, seed=4)[0]]
    for asked, plain in zip(score(rows, place, attention=True), score(rows, place), strict=True):
        assert [asked[f"{name}_heads"] for name in attention.STATISTICS] == [[], [], [], []]
        assert asked["loss"] == pytest.approx(plain["loss"], rel=1e-5) and plain["entropy_heads"] is None


def test_one_layer_of_attention_is_held_at_a_time(tmp_path, monkeypatch):
    """Each layer's weights are gone when the next layer's are reduced."""
    import gc
    import weakref

    place = tiny_models.save(tmp_path / "deep", "gpt_neox", num_hidden_layers=5)
    alive: list[weakref.ref] = []
    held: list[int] = []
    whole = attention.statistics

    def watch(weights):
        gc.collect()
        held.append(sum(one() is not None for one in alive))
        alive.append(weakref.ref(weights))
        return whole(weights)

    monkeypatch.setattr(attention, "statistics", watch)
    score(random_rows(4), place, attention=True)
    assert held == [0] * 5


def test_memory_is_flat_in_the_number_of_sequences(neox):
    peaks = []
    score(random_rows(8), neox)
    for n in (64, 512):
        table = random_rows(n)
        tracemalloc.start()
        score(table, neox)
        peaks.append(tracemalloc.get_traced_memory()[1] / n)
        tracemalloc.stop()
    assert peaks[1] <= 1.2 * peaks[0]  # bytes to a sequence: what is returned, and nothing that piles up


def test_rows_that_are_not_finite_have_none_of_it(tmp_path):
    network = tiny_models.build("gpt_neox")
    with torch.no_grad():
        network.get_input_embeddings().weight[13] = math.nan
    network.save_pretrained(tmp_path / "broken")
    clean = [[token if token != 13 else 14 for token in row] for row in random_rows(2)]
    spoiled = [*clean[1][:40], 13, *clean[1][41:]]
    sound, broken = score([clean[0], spoiled], tmp_path / "broken", attention=True, token_log_probabilities=True)
    assert all(value is None for value in broken.values())
    assert all(value is not None for value in sound.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "temperature 0.0 is none; expected a number above 0"),
        ({"top_k": -1}, "top_k is -1; expected"),
        ({"device": "abacus"}, "abacus is not a torch device"),
    ],
)
def test_options_that_make_no_sense_are_refused(neox, options, message):
    with pytest.raises(UdfError, match=message):
        score(random_rows(1), neox, **options)
