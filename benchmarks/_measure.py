"""What the benchmarks of native code share: fair timing, freshly mapped files, the reading limit, and the report."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from memtax_native import instruction_set, read_pass


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that `work` took, and its result."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def cpu_timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds that `work` took, the processor's seconds in all threads, and its result.

    The latter hardly depend on what else the machine does.
    """
    before = time.process_time()
    seconds, result = timed(work)
    return seconds, time.process_time() - before, result


def median_time(work: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """The median time of several runs, and the last result."""
    runs = [timed(work) for _ in range(repeats)]
    return statistics.median(seconds for seconds, _ in runs), runs[-1][1]


def freshly_mapped(path: Path, dtype: type = np.uint16) -> np.ndarray:
    """The file through a new mapping: in the page cache, but no page of it in the process's tables yet."""
    return np.memmap(path, dtype=dtype, mode="r")


def reading_time(path: Path, threads: int, repeats: int) -> float:
    """The median time to read the file once through fresh mappings: no pass over its tokens can take less."""
    return median_time(lambda: read_pass(freshly_mapped(path), threads), repeats)[0]


def machine(threads: int) -> dict[str, object]:
    """What the figures were measured on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        name = models[0] if models else name
    return {"processor": name, "threads": threads, "instruction_set": instruction_set()}


def rate(tokens: int, seconds: float) -> float:
    """Millions of tokens a second."""
    return tokens / seconds / 1e6


def write_json(path: Path | None, figures: dict[str, object]) -> None:
    """Store the figures, if a file was asked for."""
    if path is not None:
        path.write_text(json.dumps(figures, indent=2) + "\n")


def print_table(title: str, rows: list[dict[str, object]]) -> None:
    """Print rows of equal keys under one heading, aligned."""
    print(f"\n{title}")
    if not rows:
        return
    cells = [[_text(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(list(rows[0]), *cells, strict=True)]
    for line in [list(rows[0]), *cells]:
        print("  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)))


def _text(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
