"""Record batches that DuckDB pulls from Python, as often as a query asks, with errors that keep their words."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

PATIENCE_AT_EXIT_SECONDS = 1.0


class RecordBatchStream:
    """An object that `connection.register` takes: each scan calls `batches` anew.

    DuckDB wraps what a scan raises in an error of its own; the original is kept in `error`.
    """

    def __init__(self, schema: pa.Schema, batches: Callable[[], Iterator[pa.RecordBatch]]) -> None:
        self.schema = schema
        self.error: BaseException | None = None
        self._batches = batches

    def __arrow_c_schema__(self) -> Any:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return pa.RecordBatchReader.from_batches(self.schema, self._guarded()).__arrow_c_stream__(requested_schema)

    def _guarded(self) -> Iterator[pa.RecordBatch]:
        try:
            with _readings.one():
                for batch in self._batches():
                    if _readings.ending:
                        return
                    yield batch
        except GeneratorExit:  # DuckDB wants no more
            raise
        except BaseException as error:
            self.error = error
            raise


class _Readings:
    """The streams that are being read, so that the process ends only after them.

    A thread of Arrow's reads ahead. After a query is interrupted it may be at that while the process ends, which Arrow
    waits for, and Python does not let such a thread go on: the process would hang for good.
    """

    def __init__(self) -> None:
        self.ending = False
        self._lock = threading.Lock()
        self._open = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """A stream that is read until the block ends."""
        with self._lock:
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1

    def end(self) -> None:
        """Have every stream end at its next batch, and wait for that; one that nobody reads any more is not waited for."""
        self.ending = True
        deadline = time.monotonic() + PATIENCE_AT_EXIT_SECONDS
        while self._open and time.monotonic() < deadline:
            time.sleep(0.01)


_readings = _Readings()
atexit.register(_readings.end)
