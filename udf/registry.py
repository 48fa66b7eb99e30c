"""The one registry of memtax's UDFs, and what every engine needs to know of each.

A UDF is a function from Arrow arrays to one Arrow array of the same length. It is pure, sees NULLs (and must pass them
on), and gets batches of up to a few thousand rows. Modules declare theirs with the `udf` decorator; `udf/__init__.py`
lists the modules, and each engine has one plugin (`duckdb_plugin.py`) that walks the registry.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from udf.errors import UdfError

ArrowFunction = Callable[..., pa.Array]


@dataclass(frozen=True)
class Udf:
    """One registered function.

    Attributes:
        name: the name in SQL.
        function: takes one `pa.Array` per parameter, all of one length, and returns a `pa.Array` of that length.
        parameters: the Arrow type of each parameter.
        returns: the Arrow type of the result.
        volatile: True if a call has an effect or an answer that changes: no engine may skip or fold it, and it is left out
            where people may only read.
        scan: True if a call is a pass over a corpus: no engine may make it twice where a query mentions it twice.
    """

    name: str
    function: ArrowFunction
    parameters: tuple[pa.DataType, ...]
    returns: pa.DataType
    volatile: bool = False
    scan: bool = False

    def __call__(self, *columns: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Run the function on one batch, count its rows, and hold the result to the declared type and length."""
        arrays = [_as_array(column) for column in columns]
        rows = len(arrays[0])
        rows_seen.add(self.name, rows)
        result = self.function(*arrays)
        if len(result) != rows:
            raise UdfError(f"{self.name}() returned {len(result)} rows for a batch of {rows}; report this as a bug")
        return result if result.type == self.returns else result.cast(self.returns)


class RowsSeen:
    """How many rows each UDF was handed in this process; `chunked` models record the difference that a run made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: Counter[str] = Counter()

    def add(self, name: str, rows: int) -> None:
        """Count `rows` more rows for the UDF `name`."""
        with self._lock:
            self._rows[name] += rows

    def get(self, name: str) -> int:
        """The rows that the UDF `name` was handed since the process began."""
        with self._lock:
            return self._rows[name]


rows_seen = RowsSeen()
_registry: dict[str, Udf] = {}


def udf(
    parameters: Sequence[pa.DataType],
    returns: pa.DataType,
    *,
    name: str | None = None,
    volatile: bool = False,
    scan: bool = False,
) -> Callable[[ArrowFunction], ArrowFunction]:
    """Register the decorated function under `name` (its own name by default); the function itself stays as it is."""

    def register(function: ArrowFunction) -> ArrowFunction:
        key = name or function.__name__
        if key in _registry and _registry[key].function.__module__ != function.__module__:
            raise UdfError(
                f"two modules register a UDF named {key!r}: {_registry[key].function.__module__} and "
                f"{function.__module__}"
            )
        _registry[key] = Udf(key, function, tuple(parameters), returns, volatile, scan)
        return function

    return register


def registered() -> tuple[Udf, ...]:
    """Every registered UDF, by name."""
    return tuple(_registry[name] for name in sorted(_registry))


def constant(array: pa.Array, udf_name: str, parameter: str) -> object:
    """The one value of a parameter that has to be the same in every row of a batch (NULL rows aside).

    Raises:
        UdfError: the batch holds several values.
    """
    values = [value for value in array.unique().to_pylist() if value is not None]
    if len(values) > 1:
        raise UdfError(f"{udf_name}() needs one value of {parameter} per query, and got {values[:3]}")
    return values[0] if values else None


def _as_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
