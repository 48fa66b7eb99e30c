"""How many rows each UDF has seen in this process, for the record that `chunked` models keep of each run."""

from __future__ import annotations

import pyarrow as pa

from udf.registry import rows_seen, udf


@udf([pa.string()], pa.int64(), volatile=True)
def udf_rows_seen(names: pa.Array) -> pa.Array:
    """Rows that the named UDF was handed since this process began; 0 for one that was never called."""
    return pa.array([None if name is None else rows_seen.get(name) for name in names.to_pylist()], pa.int64())
