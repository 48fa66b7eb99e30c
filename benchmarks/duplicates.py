"""How fast duplicates are counted: against one pass of reading the same file, and against other ways to count.

Every time includes building the query table. A file is mapped afresh for each run and lies in the page cache. Every
count is checked: against numpy's on all tokens, and each peer's on the tokens that it was given. The exit status says
whether all were exact. Ratios are of medians from one run of this program; other work on the machine disturbs them.

Peers that are not installed (infini-gram, pydivsufsort) are left out, and so named.

Run: python benchmarks/duplicates.py [--quick] [--json FILE] [--threads N] [--repeats N] [--figure FILE] [--folder FOLDER]
     [--only PART]… (cases, growth, frequencies, dbt; all by default, minutes each at full size)
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _duplicate_corpora import LENGTH, VOCABULARY, WINDOW, make_plain, make_repeated, matrix
from _duplicate_dbt import measure_dbt
from _duplicate_figure import draw
from _duplicate_growth import expect_pile, measure_growth
from _duplicate_peers import count_with_duckdb, count_with_infini_gram, count_with_numpy, count_with_pydivsufsort
from _measure import cpu_timed, freshly_mapped, machine, print_table, rate, reading_time, timed, write_json
from _token_frequencies import measure_histogram, measure_statistics

from memtax_native import QueryTable, read_pass

PARTS = ("cases", "growth", "frequencies", "dbt")
Peer = Callable[[np.ndarray, np.ndarray, int], np.ndarray | None]


@dataclass(frozen=True)
class Sizes:
    """How much is measured, full or quick."""

    sequences: int
    queries: tuple[int, ...]
    suffix_array_sequences: int
    sql_sequences: int
    growth: tuple[int, ...]
    """Sequences of the corpora by which growth is shown; the last is what dbt run counts, landed."""
    windows: int


# 10^7, 10^8 and 10^9 tokens.
FULL = Sizes(100_000, (100_000, 1_000_000, 10_000_000), 20_000, 1_000, (4_881, 48_804, 488_043), 100_000)
QUICK = Sizes(10_000, (10_000, 100_000), 500, 100, (1_000, 10_000), 10_000)


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
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the figures there (needs the extra bench)")
    parser.add_argument("--folder", type=Path, help="keep the corpora here, and use those that are there")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part; may be given several times")
    arguments = parser.parse_args()
    if arguments.figure and arguments.only and not {"cases", "growth"} <= set(arguments.only):
        parser.error("--figure draws the parts cases and growth: measure both, or leave --only away")
    sizes, repeats = (QUICK if arguments.quick else FULL), arguments.repeats or (3 if arguments.quick else 7)
    if arguments.folder:
        arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        parts = set(arguments.only or PARTS)
        figures, exact = measure(arguments.folder or Path(scratch), sizes, arguments.threads, repeats, parts)
    write_json(arguments.json, figures)
    if arguments.figure:
        draw(figures, arguments.figure)
    print("\nevery count is exact" if exact else "\nA COUNT IS WRONG", file=sys.stdout if exact else sys.stderr)
    return 0 if exact else 1


def measure(folder: Path, sizes: Sizes, threads: int, repeats: int, parts: set[str]) -> tuple[dict[str, object], bool]:
    """The figures of the parts, and whether all counts were exact."""
    figures = {"machine": machine(threads), "repeats": repeats, "tokens": sizes.sequences * LENGTH}
    print(figures)
    tables: dict[str, list[dict[str, object]]] = {}
    right: list[bool] = []
    if "cases" in parts:
        tables["cases"], tables["peers"] = [], []
        for case in make_cases(folder, sizes):
            row, peers, exact = measure_case(case, sizes, threads, repeats)
            tables["cases"].append(row)
            tables["peers"].extend(peers)
            right.append(exact)
        tables["pile"] = expect_pile(tables["cases"][-1], sizes.sequences * LENGTH, sizes.queries[-1])
    if "growth" in parts:
        corpus = make_plain(folder, sizes.growth[-1])
        tables["growth"] = measure_growth(corpus, sizes.growth, no_hits(sizes.queries[-1]), threads, repeats)
    if "frequencies" in parts:
        tables["histogram"], exact = measure_histogram(make_plain(folder, sizes.sequences), threads, repeats)
        tables["statistics"], equal = measure_statistics(sizes.windows, VOCABULARY, threads, repeats)
        right += [exact, equal]
    if "dbt" in parts:
        tables["dbt"], exact = measure_dbt(folder, sizes.growth[-1], sizes.queries[0], threads)
        right.append(exact)
    for title, table in tables.items():
        print_table(title, table)
    return {**figures, **tables}, all(right)


def make_cases(folder: Path, sizes: Sizes) -> list[Case]:
    """Windows that occur nowhere, as many as the sizes say; and those of a corpus with duplicates."""
    plain, repeated = make_plain(folder, sizes.sequences), make_repeated(folder, sizes.sequences)
    cases = [Case(f"{n:,} queries, no hits", plain, no_hits(n), n <= 1_000_000) for n in sizes.queries]
    continuations = np.ascontiguousarray(matrix(repeated)[:, WINDOW : 2 * WINDOW])
    cases.insert(1, Case(f"{sizes.sequences:,} continuations, with hits", repeated, continuations, True))
    return cases


def no_hits(n: int) -> np.ndarray:
    """n random windows: none of them is in a random corpus."""
    return np.random.default_rng(3).integers(0, VOCABULARY, (n, WINDOW), dtype=np.uint16)


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


if __name__ == "__main__":
    sys.exit(main())
