"""How the time to count grows with tokens and with queries, and what that makes of the whole Pile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from _duplicate_corpora import LENGTH
from _measure import freshly_mapped, median_time, reading_time, timed

from memtax_native import QueryTable, read_pass

PILE_TOKENS = 300_000_000_000
PILE_QUERIES = (10_000_000, 146_432_000)


def measure_growth(
    corpus: Path, sequences: Sequence[int], windows: np.ndarray, threads: int, repeats: int
) -> list[dict[str, object]]:
    """Time by tokens (for the fewest queries), the corpus in place, and by queries (for as many tokens as fit a minute).

    Every scan maps the file afresh, as a corpus that is registered in place is.
    """
    rows: list[dict[str, object]] = []
    few = windows[: min(100_000, len(windows))]
    building, table = median_time(lambda: QueryTable.build(few, threads), repeats)
    for n in sequences:
        reading, _ = median_time(lambda n=n: read_pass(freshly_mapped(corpus)[: n * LENGTH], threads), repeats)
        scanning, _ = median_time(lambda n=n: _scan(table, corpus, n, threads), repeats)
        rows.append(_row(n, len(few), building, scanning, reading))
    n = sequences[-2]
    reading = reading_time(corpus, threads, 3) * n / sequences[-1]
    for queries in [10**power for power in range(2, 8) if 10**power <= len(windows)]:
        building, table = timed(lambda queries=queries: QueryTable.build(windows[:queries], threads))
        scanning, _ = median_time(lambda table=table: _scan(table, corpus, n, threads), 3)
        rows.append(_row(n, queries, building, scanning, reading))
    return rows


def expect_pile(case: dict[str, object], tokens: int, queries: int) -> list[dict[str, object]]:
    """Hours for the Pile on this machine at the rates of `case`, as many passes over it as `case` has queries for.

    The tokens are taken to arrive as fast as they do here, from the page cache: a disk that gives less is the limit.
    """
    scanning, building = float(str(case["scan_ms"])) / 1e3, float(str(case["build_ms"])) / 1e3
    rows: list[dict[str, object]] = []
    for wanted in PILE_QUERIES:
        passes = -(-wanted // queries)
        one_pass = scanning / tokens * PILE_TOKENS
        rows.append(
            {
                "queries": wanted,
                "passes": passes,
                "hours": passes * (one_pass + building) / 3600,
                "needs_gb_per_s": 2 * tokens / scanning / 1e9,
            }
        )
    return rows


def _scan(table: QueryTable, corpus: Path, n: int, threads: int) -> None:
    table.scan(freshly_mapped(corpus)[: n * LENGTH], np.arange(n + 1) * LENGTH, threads)


def _row(n: int, queries: int, building: float, scanning: float, reading: float) -> dict[str, object]:
    return {
        "tokens": n * LENGTH,
        "queries": queries,
        "build_ms": building * 1e3,
        "scan_ms": scanning * 1e3,
        "reading_ms": reading * 1e3,
    }
