"""What a scan of a shard, or a language model, says while it works: one statement may take minutes, and dbt is silent until
it ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import pyarrow as pa

from udf.registry import udf

EVERY_SECONDS = 5.0


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class ScanProgress:
    """Counts the sequences that scanning functions have seen, and says so every few seconds; safe from many threads.

    Args:
        clock: seconds from some point on.
        write: where a line goes; stderr, for stdout is dbt's.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, write: Callable[[str], object] = _to_stderr
    ) -> None:
        self._clock = clock
        self._write = write
        self._lock = threading.Lock()
        self._title, self._total, self._done = "", 0, 0
        self._began = self._said = 0.0

    def begin(self, title: str, total: int) -> None:
        """A scan of `total` sequences begins; whatever went before is over."""
        with self._lock:
            self._title, self._total, self._done = title, total, 0
            self._began = self._said = self._clock()

    def advance(self, sequences: int) -> None:
        """So many more sequences were seen; nothing is said outside a scan that has begun."""
        with self._lock:
            if not self._total:
                return
            self._done += sequences
            now = self._clock()
            if self._done >= self._total:
                self._total = 0
            elif self._done and now - self._said >= EVERY_SECONDS:
                self._said = now
                elapsed = now - self._began
                left = elapsed / self._done * (self._total - self._done)
                self._write(
                    f"{self._title}: {self._done:,} of {self._total:,} sequences in {elapsed:.0f} s, "
                    f"about {left:.0f} s left"
                )


scan_progress = ScanProgress()


@udf([pa.string(), pa.int64()], pa.int64(), volatile=True)
def begin_scan(titles: pa.Array, sequences: pa.Array) -> pa.Array:
    """Say that a scan of so many sequences begins, under a title; the functions that scan report on it. Returns them."""
    for title, total in zip(titles.to_pylist(), sequences.to_pylist(), strict=True):
        if title is not None and total is not None:
            scan_progress.begin(title, total)
    return sequences
