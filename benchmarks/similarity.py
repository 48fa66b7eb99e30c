"""How fast similar vectors are counted, against other ways to do it and against the machine's matrix products.

Vectors are made: clusters of many widths, small ones in the case `sparse` (one pair in some thousand matches) and large
ones in the case `dense` (many more do, and more lie near), and for some queries references within 1e-7 of a threshold,
where float32 goes wrong. Every result is compared with float64 products; the run fails if ours is not equal for every
query. All take turns within each round, so that other work on the machine meets all of them (the torch loops only in
the first: they take longest); ratios are medians over the rounds.

Run: python benchmarks/similarity.py [--quick] [--threads N] [--json FILE]
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import _similarity_peers as peers  # noqa: E402
from _measure import machine, print_table, timed, write_json  # noqa: E402

from memtax_native import _similarity as native  # noqa: E402

DIMENSIONS = 384
THRESHOLDS = [0.8, 0.9]
SEED = 1024
# As the UDF is called: rows of a batch of DuckDB, and of a block of a reference set.
BATCH, BLOCK = 2_048, 65_536
FAISS = "faiss range_search"
CLUSTERS = {"sparse": 20_000, "dense": 20}


def main() -> int:
    """Measure, print tables, and say by the exit status whether every count was exact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer vectors and rounds")
    parser.add_argument("--threads", type=int, default=len(native_threads()), help="threads of every contestant")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    set_threads(arguments.threads)
    rounds = 3
    sizes = {"dense": (500, 20_000), "sparse": (1_000, 50_000) if arguments.quick else (5_000, 200_000)}
    tables: dict[str, list[dict[str, object]]] = {}
    ours_exact = True
    for case, (n_queries, n_references) in sizes.items():
        queries, references = make_vectors(np.random.default_rng(SEED), n_queries, n_references, CLUSTERS[case])
        expected = peers.float64(queries, references, THRESHOLDS)
        contestants = find_contestants(arguments.threads)
        share = expected.sum(axis=0) / (n_queries * n_references)
        print(
            f"\n{case}: {n_queries:,} queries × {n_references:,} references; of all pairs {share[0]:.2g} and {share[1]:.2g} match"
        )
        tables[case], exact = compare(contestants, queries, references, expected, rounds)
        ours_exact &= exact
        print_table("rates, and queries with another count than float64", tables[case])
    rows = tables["sparse"]
    limits = gemm_rates(rounds)
    print_table("matrix products alone (torch), as pairs of 384 dimensions", limits)
    growth = grow(queries, references, arguments.threads)
    print_table("growth", growth)
    rate = float(str(rows[0]["G pairs/s"]))
    print(
        f"\n5 M × 5 M at this rate: {25e12 / rate / 1e9 / 3600:.1f} h; 100,000 × 5 M: {5e11 / rate / 1e9 / 60:.1f} min"
    )
    packed = native.References(references[:1000]).nbytes / 1000
    print(
        f"5 M references: {5e6 * packed / 2**30:.1f} GiB of codes in memory, {5e6 * 1536 / 2**30:.1f} GiB mapped from disk"
    )
    figures = {
        "machine": machine(arguments.threads),
        "instruction_sets": native.instruction_sets(),
        "exact": ours_exact,
    }
    write_json(arguments.json, figures | {"peers": tables, "limits": limits, "growth": growth})
    return 0 if ours_exact else 1


def native_threads() -> set[int]:
    """The processors that this process may use."""
    import os

    return os.sched_getaffinity(0)


def set_threads(threads: int) -> None:
    """Let every library use as many threads."""
    import threadpoolctl
    import torch

    torch.set_num_threads(threads)
    threadpoolctl.threadpool_limits(threads)
    if importlib.util.find_spec("faiss"):
        import faiss

        faiss.omp_set_num_threads(threads)


def make_vectors(
    rng: np.random.Generator, n_queries: int, n_references: int, clusters: int
) -> tuple[np.ndarray, np.ndarray]:
    """Queries and references of length 1: clusters from tight to loose, a few of them large, and pairs at the thresholds."""
    centres = rng.standard_normal((clusters, DIMENSIONS))
    widths = rng.uniform(0.2, 1.2, clusters)

    def draw(n: int) -> np.ndarray:
        cluster = (clusters * rng.random(n) ** 3).astype(np.int64)
        vectors = centres[cluster] + widths[cluster, None] * rng.standard_normal((n, DIMENSIONS))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    queries, references = draw(n_queries), draw(n_references)
    for number in range(min(500, n_queries, n_references)):
        cosine = rng.choice(THRESHOLDS) + rng.uniform(-1e-7, 1e-7)
        other = rng.standard_normal(DIMENSIONS)
        other -= other @ queries[number] * queries[number]
        references[number] = cosine * queries[number] + np.sqrt(1 - cosine**2) * other / np.linalg.norm(other)
    return queries.astype(np.float32), references[rng.permutation(n_references)].astype(np.float32)


def ours(instruction_set: str, threads: int) -> Callable[[np.ndarray, np.ndarray, list[float]], np.ndarray]:
    """The native count, in batches and blocks as the UDF makes them."""
    packed: dict[int, list[native.References]] = {}

    def count(queries: np.ndarray, references: np.ndarray, thresholds: list[float]) -> np.ndarray:
        blocks = packed.setdefault(id(references), [])
        if not blocks:
            blocks += [native.References(references[i : i + BLOCK], threads) for i in range(0, len(references), BLOCK)]
        parts = []
        for begin in range(0, len(queries), BATCH):
            batch = native.Queries(queries[begin : begin + BATCH], instruction_set)
            parts.append(sum(block.count(batch, thresholds, None, 0, threads)[0] for block in blocks))
        return np.concatenate(parts)

    return count


def find_contestants(threads: int) -> dict[str, Callable[..., np.ndarray | None]]:
    """Name and function of each way to count that can run here; ours with the fastest instructions is the first."""
    fast = [name for name in native.instruction_sets() if name not in ("portable", "amx_emulated")] or ["portable"]
    found: dict[str, Callable[..., np.ndarray | None]] = {f"memtax, {name}": ours(name, threads) for name in fast}
    if importlib.util.find_spec("faiss"):
        found[FAISS] = peers.with_faiss
    found["numpy float32"] = peers.with_numpy
    found["torch float32, 32 queries at a time"] = peers.with_torch_loop
    found["torch bf16 + float64"] = peers.with_torch_bf16
    if importlib.util.find_spec("numkong"):
        found["numkong int8 products, 1 thread"] = peers.numkong_products
    return found


def compare(
    contestants: dict[str, Callable[..., np.ndarray | None]],
    queries: np.ndarray,
    references: np.ndarray,
    expected: np.ndarray,
    rounds: int,
) -> tuple[list[dict[str, object]], bool]:
    """A row for each contestant, and whether all of ours were right."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    wrong: dict[str, int | str] = {}
    for count in contestants.values():
        count(queries[:64], references, THRESHOLDS)  # packs, indexes and warms up
    for number in range(rounds):
        for name, count in contestants.items():
            if number > 0 and name.startswith("torch"):
                continue
            took, counts = timed(lambda count=count: count(queries, references, THRESHOLDS))
            seconds[name].append(took)
            wrong[name] = "–" if counts is None else int((counts != expected).any(axis=1).sum())
    pairs = len(queries) * len(references)
    rows: list[dict[str, object]] = []
    for name, times in seconds.items():
        row: dict[str, object] = {"way": name, "G pairs/s": pairs / statistics.median(times) / 1e9}
        if FAISS in seconds:
            ratios = [theirs / mine for theirs, mine in zip(seconds[FAISS], times, strict=False)]
            row |= {"× faiss": statistics.median(ratios), "least": min(ratios)}
        rows.append(row | {"wrong queries": wrong[name]})
    return rows, all(wrong[name] == 0 for name in contestants if name.startswith("memtax"))


def gemm_rates(rounds: int) -> list[dict[str, object]]:
    """What the machine's matrix products reach: no way to count by them is faster."""
    import torch

    rows: list[dict[str, object]] = []
    for dtype in (torch.float32, torch.bfloat16):
        a, b = (torch.randn(2_048, 2_048).to(dtype) for _ in range(2))
        best = min(timed(lambda a=a, b=b: a @ b)[0] for _ in range(3 * rounds))
        rows.append({"type": str(dtype), "G products/s": 2_048**3 / best / 1e9, "G pairs/s": 2_048**3 / best / 384e9})
    return rows


def grow(queries: np.ndarray, references: np.ndarray, threads: int) -> list[dict[str, object]]:
    """Time and peak memory of the process as queries and references grow; the least of three runs each."""
    rows: list[dict[str, object]] = []
    for part in (8, 4, 2, 1):
        for which, some in (
            ("queries", queries[: len(queries) // part]),
            ("references", references[: len(references) // part]),
        ):
            pair = (some, references) if which == "queries" else (queries, some)
            count = ours("", threads)
            count(pair[0][:1], pair[1], THRESHOLDS)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            best = min(timed(lambda pair=pair, count=count: count(*pair, THRESHOLDS))[0] for _ in range(3))
            more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            size = {"queries": len(pair[0]), "references": len(pair[1]), "seconds": best}
            rows.append(
                {"growing": which, **size, "G pairs/s": len(pair[0]) * len(pair[1]) / best / 1e9, "MiB more": more}
            )
    return sorted(rows, key=lambda row: (str(row["growing"]), float(str(row["seconds"]))))


if __name__ == "__main__":
    sys.exit(main())
