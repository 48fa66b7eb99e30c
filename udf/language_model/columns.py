"""Arrow columns of token lists as the scoring code takes them, and rows sorted into groups that share a model."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from udf.errors import UdfError

BATCH_VARIABLE = "MEMTAX_BATCH_SIZE"
DEFAULT_BATCH_SIZE = 64

TOKENS = pa.list_(pa.uint32())


@dataclass(frozen=True)
class TokenLists:
    """A list column without a copy.

    Attributes:
        values: all tokens, one list after the other.
        offsets: int [n + 1], where each list begins.
        valid: bool [n], False for NULL.
    """

    values: np.ndarray
    offsets: np.ndarray
    valid: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, int [n]."""
        return np.diff(self.offsets)

    def padded(self, rows: np.ndarray) -> np.ndarray:
        """The tokens of some rows, [len(rows), longest]; a shorter row goes on with its last token."""
        lengths = self.lengths[rows]
        longest = int(lengths.max(initial=0))
        if longest == 0:
            return np.empty((len(rows), 0), self.values.dtype)
        columns = np.minimum(np.arange(longest), np.maximum(lengths[:, None] - 1, 0))
        places = np.where(lengths[:, None] > 0, self.offsets[rows][:, None] + columns, 0)
        return np.where(lengths[:, None] > 0, self.values[places], 0)


def token_lists(tokens: pa.Array, udf_name: str) -> TokenLists:
    """A column of token lists.

    Raises:
        UdfError: a list holds a NULL.
    """
    tokens = tokens if tokens.type == TOKENS else tokens.cast(TOKENS)
    if tokens.values.null_count:
        raise UdfError(f"{udf_name}() got a NULL among the tokens of a sequence; expected token ids only")
    return TokenLists(tokens.values.to_numpy(), tokens.offsets.to_numpy(), is_valid(tokens))


def is_valid(column: pa.Array) -> np.ndarray:
    """bool [n], False where the column is NULL."""
    return column.is_valid().to_numpy(zero_copy_only=False)


def group_rows(valid: np.ndarray, keys: Sequence[Sequence[object]]) -> dict[tuple, np.ndarray]:
    """The numbers of the valid rows by what stands in the key columns, so that each model is asked for once per call."""
    groups: dict[tuple, list[int]] = defaultdict(list)
    for row, key in enumerate(zip(*keys, strict=True)):
        if valid[row]:
            groups[key].append(row)
    return {key: np.array(rows) for key, rows in groups.items()}


def batch_size() -> int:
    """Sequences to a forward pass: MEMTAX_BATCH_SIZE, or 64.

    Raises:
        UdfError: the variable is not a whole number from 1 on.
    """
    text = os.environ.get(BATCH_VARIABLE) or str(DEFAULT_BATCH_SIZE)
    if not text.isdecimal() or int(text) < 1:
        raise UdfError(f"{BATCH_VARIABLE}={text} is not a batch size; expected a whole number of sequences, 1 or more")
    return int(text)
