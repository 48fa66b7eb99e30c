"""List columns of tokens as native code takes them: one flat array of values, and offsets into it.

Lists are read through `.values` and `.offsets`, never `.flatten()`: the former keep rows in place when some are NULL or
the array is a slice.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udf.errors import UdfError


class TokenRows(NamedTuple):
    """A list column as native code takes it: row r is values[offsets[r]:offsets[r + 1]], if valid[r]."""

    values: np.ndarray
    offsets: np.ndarray
    valid: np.ndarray


def token_rows(tokens: pa.Array, udf_name: str) -> TokenRows:
    """The values, offsets and validity of a list column, without a copy.

    Args:
        tokens: list<uint16> or list<uint32>; may be a slice and may hold NULL rows.
        udf_name: who asks, for the message.

    Raises:
        UdfError: the lists hold something else, or a NULL token.
    """
    value_type = tokens.type.value_type
    if value_type not in (pa.uint16(), pa.uint32()):
        raise UdfError(f"{udf_name}() takes lists of 16-bit or 32-bit unsigned tokens, and got {tokens.type}")
    dtype = value_type.to_pandas_dtype()
    if len(tokens) == 0:
        return TokenRows(np.empty(0, dtype), np.zeros(1, np.int32), np.zeros(0, bool))
    offsets = tokens.offsets.to_numpy()
    values = tokens.values
    if values.slice(offsets[0], offsets[-1] - offsets[0]).null_count:
        raise UdfError(f"{udf_name}() got a list with a NULL token in it; tokens are ids, never NULL")
    buffer = values.buffers()[1]
    if buffer is None:
        return TokenRows(np.empty(0, dtype), offsets, validity(tokens))
    flat = np.frombuffer(buffer, dtype, len(values), values.offset * np.dtype(dtype).itemsize)
    return TokenRows(flat, offsets, validity(tokens))


def validity(array: pa.Array) -> np.ndarray:
    """bool [rows]: True where a row is not NULL."""
    if array.null_count == 0:
        return np.ones(len(array), dtype=bool)
    return array.is_valid().to_numpy(zero_copy_only=False)
