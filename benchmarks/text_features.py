"""How fast the text features are: each against a plain Python peer and against reading the same bytes from memory.

The peer of `templating` is the paper's filter alone (udf/templating/paper.py), although the UDF computes the plain
flags as well. Texts are windows of the interpreter's own sources and the labelled sequences of ../shared/data where
they are present. `nl_score` is set beside scikit-learn's hashed n-grams with a linear model and beside a transformers
classifier (--classifier FOLDER; without one, DistilBERT's shape with random weights, on few texts). Rates are the best
of several rounds, in texts per second on all cores that the process may use; the run fails if `templating`,
`huffman_code_length` or `nl_score` differs from its plain reference on the texts that are checked.

Run: python benchmarks/text_features.py [--quick] [--json FILE] [--classifier FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import heapq
import itertools
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import _classifiers  # noqa: E402

from udf.compression import huffman_code_length, paper_huffman_coding_length  # noqa: E402
from udf.nl_score import nl_score  # noqa: E402
from udf.templating import kernel, templating  # noqa: E402
from udf.templating.paper import paper_flags  # noqa: E402
from udf.templating.rules import find_pattern  # noqa: E402
from udf.token_runs import token_runs  # noqa: E402

ANNOTATED = ROOT.parent / "shared" / "data" / "annotated_sequences.csv"
WINDOW_CHARACTERS = 230  # about 64 tokens
BATCH_ROWS = 2048  # what DuckDB hands to a UDF
SEED = 1024


def main() -> int:
    """Measure, print a table, and say by the exit status whether every result was exact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer texts and rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--classifier", metavar="FOLDER", help="a transformers sequence-classification model as nl_score's peer"
    )
    arguments = parser.parse_args()
    texts, source = collect_texts(4_000 if arguments.quick else 20_000)
    rounds = 3 if arguments.quick else 7
    checked = texts[: 500 if arguments.quick else 3_000]
    figures: dict[str, object] = {
        "texts": len(texts),
        "source": source,
        "bytes": sum(len(text.encode()) for text in texts),
        "threads": kernel._threads(),
        "memory_texts_per_s": rate(lambda: read_bytes(texts), len(texts), rounds),
    }
    mistakes = {"templating": check_templating(checked), "huffman_code_length": check_huffman(checked)}
    mistakes["nl_score"] = _classifiers.check(checked)
    for name, feature, peer in (
        ("templating", templating, paper_flags),
        ("huffman_code_length", huffman_code_length, plain_huffman),
        ("paper_huffman_coding_length", paper_huffman_coding_length, None),
    ):
        figures[f"{name}_texts_per_s"] = rate(batches(feature, pa.array(texts)), len(texts), rounds)
        if peer is not None:
            measure_peer(figures, name, peer, texts, rounds)
    measure_nl_score(figures, texts, rounds, arguments.classifier)
    tokens = [[random.Random(row).randrange(50_000)] * 4 + list(range(60)) for row in range(len(texts))]
    columns = pa.array(tokens, type=pa.list_(pa.uint32()))
    figures["token_runs_rows_per_s"] = rate(batches(token_runs, columns), len(tokens), rounds)
    figures["mistakes"] = mistakes
    for name, value in figures.items():
        print(f"{name:45} {value:>14,.1f}" if isinstance(value, float) else f"{name:45} {value!s:>14}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if any(mistakes.values()) else 0


def collect_texts(count: int) -> tuple[list[str], str]:
    """`count` texts in a seeded order, and where they come from."""
    generator = random.Random(SEED)
    texts: list[str] = []
    source = "interpreter sources"
    if ANNOTATED.exists():
        with ANNOTATED.open(newline="", encoding="utf-8") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        # Half of the texts, as in a set that mixes memorized and representative sequences.
        texts = list(itertools.islice(itertools.cycle(texts), count // 2))
        source = "annotated sequences and interpreter sources"
    files = sorted(Path(os.__file__).parent.glob("*.py"))
    windows = [
        content[start : start + WINDOW_CHARACTERS]
        for content in (file.read_text(encoding="utf-8", errors="replace") for file in files)
        for start in range(0, max(len(content) - WINDOW_CHARACTERS, 0), WINDOW_CHARACTERS)
    ]
    texts += [generator.choice(windows) for _ in range(count - len(texts))]
    generator.shuffle(texts)
    return texts, source


def batches(function: Callable[[pa.Array], pa.Array], column: pa.Array) -> Callable[[], None]:
    """A call of `function` on each batch of the column."""

    def call() -> None:
        for start in range(0, len(column), BATCH_ROWS):
            function(column[start : start + BATCH_ROWS])

    return call


def rate(call: Callable[[], object], rows: int, rounds: int) -> float:
    """Rows per second in the best of `rounds` calls, after one that warms up."""
    call()
    return rows / min(_seconds(call) for _ in range(rounds))


def measure_peer(
    figures: dict[str, object], name: str, peer: Callable[[str], object], texts: list[str], rounds: int
) -> None:
    """Add the rate of a plain Python function, and how many times faster the UDF is."""
    peer_rate = rate(lambda: [peer(text) for text in texts], len(texts), min(rounds, 3))
    figures[f"{name}_peer_texts_per_s"] = peer_rate
    figures[f"{name}_times_the_peer"] = float(str(figures[f"{name}_texts_per_s"])) / peer_rate


def measure_nl_score(figures: dict[str, object], texts: list[str], rounds: int, classifier: str | None) -> None:
    """Add the rates of nl_score and of its two peers, and how many times faster it is."""
    ours = figures["nl_score_texts_per_s"] = rate(batches(nl_score, pa.array(texts)), len(texts), rounds)
    few = texts[:2_000]
    hashed = figures["nl_score_sklearn_texts_per_s"] = rate(_classifiers.hashing_vectorizer(few), len(few), 2)
    fewer = texts[:32]
    peer, figures["nl_score_transformer"] = _classifiers.transformer(fewer, classifier)
    transformer = figures["nl_score_transformer_texts_per_s"] = rate(peer, len(fewer), 1)
    figures["nl_score_times_sklearn"], figures["nl_score_times_transformer"] = ours / hashed, ours / transformer


def read_bytes(texts: list[str]) -> int:
    """Touch every byte of the texts once: no feature can be faster."""
    if len(texts) not in _memory:
        _memory[len(texts)] = np.frombuffer("".join(texts).encode().ljust(8), dtype=np.uint8)
    data = _memory[len(texts)]
    return int(np.bitwise_or.reduce(data[: len(data) // 8 * 8].view(np.uint64)))


def check_templating(texts: list[str]) -> int:
    """How many texts differ from the two references."""
    mistakes = 0
    for text, row in zip(texts, templating(pa.array(texts)).to_pylist(), strict=True):
        pattern, flags = find_pattern(text), paper_flags(text)
        expected = (pattern.kind, pattern.period, pattern.step, pattern.coverage) if pattern else (None, None, None, 0)
        mistakes += expected != (row["pattern"], row["period"], row["step"], row["coverage"]) or flags != (
            row["paper_is_incrementing"],
            row["paper_is_repeating"],
        )
    return mistakes


def check_huffman(texts: list[str]) -> int:
    """How many texts differ from a heap and a counter."""
    return sum(
        abs(found - plain_huffman(text)) > 1e-12
        for text, found in zip(texts, huffman_code_length(pa.array(texts)).to_pylist(), strict=True)
    )


def plain_huffman(text: str) -> float:
    """Mean bits per character of the Huffman code, with a heap."""
    weights = sorted(Counter(text).values())
    if len(weights) < 2:
        return float(len(weights))
    total = 0
    while len(weights) > 1:
        merged = heapq.heappop(weights) + heapq.heappop(weights)
        total += merged
        heapq.heappush(weights, merged)
    return total / len(text)


_memory: dict[int, np.ndarray] = {}


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
