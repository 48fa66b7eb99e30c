"""Record batches that DuckDB pulls from Python, as often as a query asks, with errors that keep their words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa


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
            yield from self._batches()
        except GeneratorExit:  # DuckDB wants no more
            raise
        except BaseException as error:
            self.error = error
            raise
