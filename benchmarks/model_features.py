"""What the features of a language model cost beside its forward passes: python benchmarks/model_features.py --help

Measured on a GPT-NeoX of Pythia-70m's shape (vocabulary 50,304) with random weights, in batches of 64 windows of 64
tokens:

* `score_continuation` through SQL, against a bare loop of the same forward passes that ends in float32 logits and
  throws them away: what the model itself takes. Target: at most 1.10 ×.
* its features alone (from logits to measures of sequences) against the paper's way on the same logits: for each of
  three spans a Python loop over tokens, with a softmax over the vocabulary in half precision for each. Target: at least
  10 × faster. The same loop in single precision is given too, as half precision is slow on CPUs.

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
    arguments = parser.parse_args()
    os.environ["MEMTAX_BATCH_SIZE"] = str(BATCH)
    batches, rounds, paper_sequences = (1, 2, 2) if arguments.quick else (4, 5, 16)

    import torch

    with tempfile.TemporaryDirectory() as folder:
        network = pythia_70m_shape(Path(folder))
        windows = np.random.default_rng(0).integers(0, VOCABULARY, (batches * BATCH, WINDOW)).astype(np.uint32)
        score = scorer(windows, folder)
        losses = score()  # also loads the model
        with torch.inference_mode():
            error = largest_error(network, windows, losses)
            pairs = [(clock(lambda: bare(network, windows)), clock(score)) for _ in range(rounds)]
            features = against_the_paper(network, windows[:BATCH], paper_sequences)

    bare_seconds, udf_seconds = (min(side) for side in zip(*pairs, strict=True))
    figures: dict[str, Any] = {
        "windows": len(windows),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "bare_seconds": bare_seconds,
        "udf_seconds": udf_seconds,
        "ratio_to_bare_loop": udf_seconds / bare_seconds,
        "median_ratio_to_bare_loop": statistics.median(ours / plain for plain, ours in pairs),
        "ratio_target": RATIO_TARGET,
        **features,
        "speedup_target": SPEEDUP_TARGET,
        "largest_loss_error": error,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if error > 1e-4:
        print(f"wrong: a loss differs by {error} from float64", file=sys.stderr)
        return 1
    return 0


def pythia_70m_shape(folder: Path) -> Any:
    """Write the model with random weights to a folder, and return it as loaded from there."""
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
    return transformers.GPTNeoXForCausalLM.from_pretrained(folder, use_safetensors=True).eval()


def scorer(windows: np.ndarray, folder: str) -> Callable[[], list[float]]:
    """A call that scores the windows through SQL and returns their losses, in order."""
    import udf

    connection = duckdb.connect()
    udf.register(connection)
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(0, windows.size + 1, WINDOW), pa.int32()), pa.array(windows.reshape(-1))
    )
    connection.register("incoming", pa.table({"position": pa.array(np.arange(len(windows))), "tokens": lists}))
    connection.execute("create table windows as select * from incoming")
    query = "select score_continuation(tokens, $folder, 'main', $prompt, 'float32').loss from windows order by position"

    def score() -> list[float]:
        return [row[0] for row in connection.execute(query, {"folder": folder, "prompt": PROMPT}).fetchall()]

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
    flat, targets = logits[:, :-1].reshape(-1, VOCABULARY), ids[:, 1:].reshape(-1)
    positions = LOGITS_PER_SLICE // VOCABULARY

    def ours() -> None:
        starts = range(0, len(flat), positions)
        parts = [_reduce(flat[at : at + positions], targets[at : at + positions]) for at in starts]
        log_probabilities = torch.cat([part[0] for part in parts]).double().reshape(len(ids), -1).numpy()
        measure(
            TokenScores(log_probabilities, torch.cat([part[1] for part in parts]).reshape(len(ids), -1).numpy()), PROMPT
        )

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


def report(figures: dict[str, Any]) -> None:
    """Print the figures against their targets."""
    print(f"{figures['windows']} windows, {figures['threads']} threads, torch {figures['torch']}")
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
    print(f"largest error of a loss {figures['largest_loss_error']:.1e}; peak memory {figures['peak_mib']:,} MiB")


if __name__ == "__main__":
    sys.exit(main())
