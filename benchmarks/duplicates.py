"""How fast duplicates are counted: against one pass of reading the same file, and against other ways to count.

Every time includes building the query table. A file is mapped afresh for each run and lies in the page cache. Every
count is checked: against numpy's on all tokens, and each peer's on the tokens that it was given. The exit status says
whether all were exact. Ratios are of medians from one run of this program; other work on the machine disturbs them.

Peers that are not installed (infini-gram, pydivsufsort) are left out, and so named.

Run: python benchmarks/duplicates.py [--quick] [--json FILE] [--threads N] [--repeats N] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _duplicate_peers import count_with_duckdb, count_with_infini_gram, count_with_numpy, count_with_pydivsufsort
from _measure import cpu_timed, freshly_mapped, machine, median_time, print_table, rate, reading_time, timed, write_json

from memtax_native import QueryTable, count_tokens, read_pass

LENGTH = 2049
WINDOW = 32
VOCABULARY = 50_000
Peer = Callable[[np.ndarray, np.ndarray, int], np.ndarray | None]


@dataclass(frozen=True)
class Sizes:
    """How much is measured, full or quick."""

    sequences: int
    queries: tuple[int, ...]
    suffix_array_sequences: int
    sql_sequences: int
    growth: tuple[int, ...]


FULL = Sizes(100_000, (100_000, 1_000_000, 10_000_000), 20_000, 1_000, (1_000, 10_000, 100_000))
QUICK = Sizes(10_000, (10_000, 100_000), 500, 100, (1_000, 10_000))


@dataclass(frozen=True)
class Case:
    """A corpus and the windows to count in it."""

    name: str
    corpus: Path
    windows: np.ndarray
    peers: bool


def main() -> int:
    """Measure, print, and return 0 if every count was exact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the tokens, fewer queries and repeats")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, help="runs of which the median counts (7, quick 3)")
    parser.add_argument("--folder", type=Path, help="keep the corpora here, and use those that are there")
    arguments = parser.parse_args()
    sizes, repeats = (QUICK if arguments.quick else FULL), arguments.repeats or (3 if arguments.quick else 7)
    with tempfile.TemporaryDirectory() as scratch:
        figures, exact = measure(arguments.folder or Path(scratch), sizes, arguments.threads, repeats)
    write_json(arguments.json, figures)
    print("\nevery count is exact" if exact else "\nA COUNT IS WRONG", file=sys.stdout if exact else sys.stderr)
    return 0 if exact else 1


def measure(folder: Path, sizes: Sizes, threads: int, repeats: int) -> tuple[dict[str, object], bool]:
    """All figures, and whether all counts were exact."""
    plain, repeated = make_corpora(folder, sizes.sequences)
    random = np.random.default_rng(3)
    cases = [
        Case(
            f"{n:,} queries, no hits",
            plain,
            random.integers(0, VOCABULARY, (n, WINDOW), dtype=np.uint16),
            n <= 1_000_000,
        )
        for n in sizes.queries
    ]
    continuations = np.ascontiguousarray(matrix(repeated)[:, WINDOW : 2 * WINDOW])
    cases.insert(1, Case(f"{sizes.sequences:,} continuations, with hits", repeated, continuations, True))
    rows, peer_rows, exact = [], [], True
    for case in cases:
        row, peers, right = measure_case(case, sizes, threads, repeats)
        rows.append(row)
        peer_rows.extend(peers)
        exact &= right
    growth = measure_growth(plain, cases, sizes, threads, repeats)
    frequencies, right = measure_frequencies(plain, threads, repeats)
    figures = {"machine": machine(threads), "repeats": repeats, "tokens": sizes.sequences * LENGTH}
    print(figures)
    tables = {"cases": rows, "peers": peer_rows, "growth": growth, "frequencies": frequencies}
    for title, table in tables.items():
        print_table(title, table)
    return {**figures, **tables}, exact and right


def measure_case(case: Case, sizes: Sizes, threads: int, repeats: int) -> tuple[dict[str, object], list[dict], bool]:
    """One case: reading, building and scanning in turn, then the peers."""
    tokens = sizes.sequences * LENGTH
    runs = []
    count_duplicates(
        case.corpus, case.windows, threads
    )  # the first run pays for memory that the system has yet to find
    for _ in range(repeats):
        reading = reading_time(case.corpus, threads, 3)
        values = freshly_mapped(case.corpus)
        _, cpu_reading, _ = cpu_timed(lambda values=values: read_pass(values, threads))
        runs.append((reading, cpu_reading, *count_duplicates(case.corpus, case.windows, threads)))
    reading, cpu_reading, building, scanning, cpu = (float(np.median([run[at] for run in runs])) for at in range(5))
    counts, sizes_of_table = runs[-1][5], runs[-1][6]
    expected = counts
    peers: list[dict[str, object]] = []
    numpy_seconds = float("nan")
    if case.peers:
        sequences = np.array(matrix(case.corpus))
        numpy_seconds, expected = timed(lambda: count_with_numpy(sequences, case.windows, threads))
        peers = measure_peers(case, sizes, threads, rate(tokens, numpy_seconds))
    row = {
        "case": case.name,
        "hits_percent": 100 * int(unique_counts(case.windows, counts)) / (sizes.sequences * (LENGTH - WINDOW + 1)),
        "build_ms": building * 1e3,
        "scan_ms": scanning * 1e3,
        "mtokens_per_s": rate(tokens, building + scanning),
        "reading_ms": reading * 1e3,
        "percent_of_reading": 100 * reading / (building + scanning),
        "cpu_ms": cpu * 1e3,
        "cpu_percent_of_reading": 100 * cpu_reading / cpu,
        "times_numpy": numpy_seconds / (building + scanning),
        "index_bytes_a_query": sizes_of_table["index"] / max(1, len(case.windows)),
    }
    return row, peers, bool(np.array_equal(counts, expected)) and all(peer["exact"] for peer in peers)


def count_duplicates(corpus: Path, windows: np.ndarray, threads: int) -> tuple[float, float, float, np.ndarray, dict]:
    """Seconds to build and to scan, the processor's for both, the count of each window, and the table's sizes."""
    values = freshly_mapped(corpus)
    offsets = np.arange(0, len(values) + 1, LENGTH)
    building, cpu_building, table = cpu_timed(lambda: QueryTable.build(windows, threads))
    scanning, cpu_scanning, (_, queries, occurrences, _) = cpu_timed(lambda: table.scan(values, offsets, threads))
    totals = np.bincount(queries, weights=occurrences, minlength=len(table)).astype(np.int64)
    index = table.find(windows.ravel(), np.arange(len(windows) + 1) * WINDOW, threads)
    return building, scanning, cpu_building + cpu_scanning, totals[index], table.nbytes


def unique_counts(windows: np.ndarray, counts: np.ndarray) -> int:
    """Hits in all, a window that was asked for twice counted once."""
    if not counts.any():
        return 0
    _, first = np.unique(windows, axis=0, return_index=True)
    return int(counts[first].sum())


def measure_peers(case: Case, sizes: Sizes, threads: int, numpy_rate: float) -> list[dict[str, object]]:
    """The peers on as many tokens as they can take in a minute or so, each against our counts of those."""
    rows = [
        {
            "case": case.name,
            "peer": "numpy",
            "tokens": sizes.sequences * LENGTH,
            "mtokens_per_s": numpy_rate,
            "exact": True,
        }
    ]
    slow: list[tuple[str, Peer, int]] = [
        ("duckdb", count_with_duckdb, sizes.sql_sequences),
        ("pydivsufsort", count_with_pydivsufsort, sizes.suffix_array_sequences),
        ("infini-gram", count_with_infini_gram, sizes.suffix_array_sequences),
    ]
    for name, peer, n in slow if len(case.windows) <= 100_000 else []:
        sequences = np.array(matrix(case.corpus)[:n])
        seconds, counts = timed(lambda peer=peer, sequences=sequences: peer(sequences, case.windows, threads))
        if counts is None:
            rows.append({"case": case.name, "peer": name, "tokens": 0, "mtokens_per_s": "not installed", "exact": True})
            continue
        same = np.array_equal(counts, count_with_numpy(sequences, case.windows, threads))
        speed = rate(sequences.size, seconds)
        rows.append({"case": case.name, "peer": name, "tokens": sequences.size, "mtokens_per_s": speed, "exact": same})
    return rows


def measure_growth(
    corpus: Path, cases: list[Case], sizes: Sizes, threads: int, repeats: int
) -> list[dict[str, object]]:
    """Time by tokens (for the fewest queries) and by queries (for all tokens)."""
    rows = []
    values = freshly_mapped(corpus)
    few = QueryTable.build(cases[0].windows, threads)
    for n in sizes.growth:
        offsets = np.arange(n + 1) * LENGTH
        seconds, _ = median_time(lambda offsets=offsets: few.scan(values, offsets, threads), repeats)
        rows.append({"tokens": n * LENGTH, "queries": len(few), "build_ms": 0.0, "scan_ms": seconds * 1e3})
    offsets = np.arange(0, len(values) + 1, LENGTH)
    for n in [10**power for power in range(2, 8) if 10**power <= len(cases[-1].windows)]:
        windows = cases[-1].windows[:n]
        building, table = median_time(lambda windows=windows: QueryTable.build(windows, threads), 3)
        seconds, _ = median_time(lambda table=table: table.scan(values, offsets, threads), 3)
        rows.append({"tokens": len(values), "queries": n, "build_ms": building * 1e3, "scan_ms": seconds * 1e3})
    return rows


def measure_frequencies(corpus: Path, threads: int, repeats: int) -> tuple[list[dict[str, object]], bool]:
    """The other pass over the tokens: their histogram."""
    reading = reading_time(corpus, threads, repeats)
    seconds, counts = median_time(lambda: count_tokens(freshly_mapped(corpus), 65_536, threads), repeats)
    exact = np.array_equal(counts, np.bincount(freshly_mapped(corpus), minlength=65_536))
    row = {
        "ms": seconds * 1e3,
        "reading_ms": reading * 1e3,
        "percent_of_reading": 100 * reading / seconds,
        "exact": exact,
    }
    return [row], exact


def matrix(corpus: Path) -> np.ndarray:
    """The corpus by sequence."""
    return freshly_mapped(corpus).reshape(-1, LENGTH)


def make_corpora(folder: Path, n: int) -> tuple[Path, Path]:
    """One corpus of random tokens, and one of which about 8 % of all windows equal tokens[32:64] of some sequence.

    The second has what makes hits in practice: repeated tokens (constant, and of periods 2 to 12), and documents of
    which many sequences are shifted cuttings.
    """
    paths = folder / f"plain_{n}.bin", folder / f"repeated_{n}.bin"
    if all(path.exists() and path.stat().st_size == n * LENGTH * 2 for path in paths):
        return paths
    random = np.random.default_rng(0)
    tokens = random.integers(0, VOCABULARY, (n, LENGTH), dtype=np.uint16)
    tokens.tofile(paths[0])
    order, at = random.permutation(n), 0
    for period, share in ((1, 0.05), (2, 0.015), (3, 0.015), (5, 0.015), (8, 0.015), (12, 0.015)):
        for row in order[at : at + int(share * n)]:
            tokens[row] = np.resize(random.integers(0, VOCABULARY, period, dtype=np.uint16), LENGTH)
        at += int(share * n)
    while at + 64 <= 0.85 * n:
        document = random.integers(0, VOCABULARY, LENGTH + 24 * 64, dtype=np.uint16)
        for number, row in enumerate(order[at : at + 64]):
            tokens[row] = document[24 * number : 24 * number + LENGTH]
        at += 64
    tokens.tofile(paths[1])
    return paths


if __name__ == "__main__":
    sys.exit(main())
