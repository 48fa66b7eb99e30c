"""Small made datasets in the schema of each one that is published of Pythia's memorization, with their known faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

IDS = (3, 5, 8, 13, 21, 34)
SIZES = ("70M", "160M", "410M", "1B", "1.4B", "2.8B", "6.9B", "12B")
# The paper's perplexities of one row: the exponent is the summed log-likelihood of a span over all 63 predicted tokens.
PERPLEXITIES = {"prompt_perplexity": 2.0, "generation_perplexity": 1.5, "sequence_perplexity": 3.0}


def tokens() -> pa.Array:
    """The 64 tokens of each of IDS."""
    rows = np.random.default_rng(11).integers(0, 50_000, (len(IDS), 64))
    return pa.array(rows.tolist(), pa.list_(pa.int64()))


def make(folder: Path, repository: str) -> Path:
    """The files of a published dataset, below `folder`; the last row of each is padding, a repetition of the one before."""
    there = folder / repository
    for split, table in _splits(repository).items():
        padded = pa.concat_tables([table, table.slice(table.num_rows - 1)])
        (there / "data").mkdir(parents=True, exist_ok=True)
        half = padded.num_rows // 2
        for shard, part in enumerate((padded.slice(0, half), padded.slice(half))):
            pq.write_table(part, there / "data" / f"{split}-{shard:05d}-of-00002-1f2e3d.parquet")
    return there


def make_feature_tables(folder: Path, n: int) -> Path:
    """`usvsnsp/semantic-filters` with enough rows to train on: a `pile` split, and one of memorized rows.

    Duplicates and low perplexities make memorization likely.
    """
    rng = np.random.default_rng(5)
    there = folder / "usvsnsp/semantic-filters"
    there.mkdir(parents=True)
    for rows, first in (("pile", 0), ("memories", n)):
        ids = np.arange(first, first + n)
        duplicates = rng.geometric(0.2, n)
        perplexity = np.exp(rng.normal(1, 0.4, n))
        odds = np.exp(0.4 * duplicates - perplexity)
        memorized = np.ones(n, bool) if rows == "memories" else rng.random(n) < odds / (1 + odds)
        matches = rng.integers(0, 20, n)
        table = {
            "sequence_id": ids,
            "is_incrementing": rng.random(n) < 0.1,
            "is_repeating": rng.random(n) < 0.2,
            "sequence_duplicates": duplicates,
            **{f"{name}_frequency": rng.integers(1, 10**6, n) for name in ("max", "min", "p25", "p75")},
            **{f"{name}_frequency": rng.random(n) * 10**6 for name in ("avg", "median")},
            "nl_scores": rng.random(n),
            "huffman_coding_length": rng.uniform(3, 6, n),
            "memorization_score": np.where(memorized, 1.0, 0.5),
            "loss": np.full(n, 1.25),
            "prompt_perplexity": np.exp(rng.normal(1, 0.4, n)),
            "generation_perplexity": perplexity,
            "sequence_perplexity": perplexity + 1,
            **dict.fromkeys(("0_8_snowclones", "0_9_snowclones"), matches // 2),
            **dict.fromkeys(("0_8_templates", "0_9_templates"), matches),
        }
        pq.write_table(pa.table(table), there / f"{rows}_deduped_12b-00000-of-00001.parquet")
    return there


def _splits(repository: str) -> dict[str, pa.Table]:
    ids = pa.array(IDS, pa.int64())
    n = len(IDS)
    counts = pa.array([1, 7, 900, 5, 6, 2], pa.int64())
    if repository == "EleutherAI/pythia-memorized-evals":
        return {"deduped.12b": pa.table({"index": ids, "tokens": tokens()})}
    if repository == "EleutherAI/pile-deduped-pythia-random-sampled":
        scores = {size: pa.array([1.0, 0.0, 0.5, 1.0, 0.25, None]) for size in SIZES}
        scores["12B"] = pa.array([1.0] * (n - 1) + [None])  # as memorized-evals has it: one window, one score
        return {"train": pa.table({"Index": ids, "Tokens": tokens(), **scores})}
    if repository == "usvsnsp/pile-test-sampled":
        return {"train": pa.table({"sequence_id": ids, "tokens": tokens()})}
    if repository == "usvsnsp/generation-num-duplicates":
        return {"deduped": pa.table({"sequence_id": ids, "counts": counts})}
    if repository == "usvsnsp/pile-pythia-code-vs-nl-scores":
        return {"deduped": pa.table({"sequence_id": ids, "nl_scores": [0.1 * i for i in range(n)]})}
    if repository == "usvsnsp/semantic-duplicates":
        less = {"index": ids, "0.8_frequencies": [0, 1, 2, 0, 0, 1], "0.9_frequencies": [0, 0, 1, 0, 0, 0]}
        more = {"index": ids, "0.8_frequencies": [4, 4, 4, 0, 1, 2], "0.9_frequencies": [1, 2, 3, 0, 0, 1]}
        return {"deduped_snowclones": pa.table(less), "deduped_templates": pa.table(more)}
    if repository == "usvsnsp/semantic-memorization-entropies":
        perplexities = {name: [-1.0] + [value] * (n - 1) for name, value in PERPLEXITIES.items()}
        heads = {"entropy_heads_layer0": [[0.5] * 4] * n, "gini_heads_layer0": [[0.2] * 4] * n}
        base = {"sequence_id": ids, "loss": [1.25] * n, "avg entropy": [0.5] * n, "avg gini": [0.2] * n}
        return {"memories": pa.table({**base, **perplexities, **heads})}
    if repository == "usvsnsp/deduped-num-frequencies":
        token_ids = pa.array(range(100), pa.int64())
        return {
            name: pa.table({"TokenID": token_ids, "Frequency": [base + i for i in range(100)]})
            for name, base in {"memorized": 1, "non_memorized": 1000}.items()
        }
    splits = {"pile_deduped_12b": 0.5, "memories_deduped_12b": 1.0}
    if repository.endswith("-intermediate"):
        splits = {"memories_deduped_12b.23000": 1.0}
    tables = {}
    for split, score in splits.items():
        columns = {
            "sequence_id": ids,
            "is_incrementing": [False] * n,
            "is_repeating": [True] + [False] * (n - 1),
            "sequence_duplicates": counts,
            **{f"{which}_frequency": [10 * i for i in range(n)] for which in ("max", "min", "p25", "p75")},
            **{f"{which}_frequency": [1.5 * i for i in range(n)] for which in ("avg", "median")},
            "frequencies": [[1] * 64] * n,
            "tokens": tokens(),
            "text": ["some text"] * n,
            "nl_scores": [0.5] * n,
            "huffman_coding_length": [4.5] * n,
            "memorization_score": [score] * n,
            "repeating_offset": [-1] * n,
            "num_repeating": [-1] * n,
            "smallest_repeating_chunk": pa.array([[]] * n, pa.list_(pa.int64())),
        }
        if not repository.endswith("-intermediate"):
            columns |= {"loss": [1.25] * n} | {k: [-1.0] + [v] * (n - 1) for k, v in PERPLEXITIES.items()}
            columns |= {"0_8_snowclones": [0, 1, 2, 0, 0, 1], "0_9_snowclones": [0, 0, 1, 0, 0, 0]}
            columns |= {"0_8_templates": [4, 4, 4, 0, 1, 2], "0_9_templates": [1, 2, 3, 0, 0, 1]}
        tables[split] = pa.table(columns)
    return tables
