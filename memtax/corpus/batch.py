"""A run of sequences on its way from a file to the store: flat tokens, and where each sequence begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from memtax.errors import SourceError

TOKEN_TYPES: dict[str, np.dtype] = {"uint16": np.dtype("<u2"), "uint32": np.dtype("<u4")}


@dataclass(frozen=True)
class TokenBatch:
    """Consecutive sequences.

    Attributes:
        values: (n_tokens,) integers of any type, the sequences back to back.
        offsets: (n_sequences + 1,) int64, where each begins in `values`; the first is 0.
        sequence_ids: (n_sequences,) int64 where the source names them, else None.
    """

    values: npt.NDArray[np.integer]
    offsets: npt.NDArray[np.int64]
    sequence_ids: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """(n_sequences,) tokens of each sequence."""
        return np.diff(self.offsets)


@dataclass(frozen=True)
class TokenLimit:
    """The first id that cannot be: a vocabulary's size, or what the width holds; `reason` completes the error."""

    limit: int
    reason: str


def check_tokens(batch: TokenBatch, limit: TokenLimit, first_row: int, where: str) -> None:
    """Refuse a batch with a negative id, or one at or beyond the limit, naming the first.

    Raises:
        SourceError: naming the id, its row (0-based, `first_row` is the batch's first) and its position in the row.
    """
    values = batch.values
    if not len(values):
        return
    signed = values.dtype.kind == "i"
    if int(values.max()) < limit.limit and not (signed and int(values.min()) < 0):
        return
    bad = values >= limit.limit
    if signed:
        bad |= values < 0
    place = int(np.argmax(bad))
    row = int(np.searchsorted(batch.offsets, place, side="right")) - 1
    token = int(values[place])
    named = f"row {first_row + row}"
    if batch.sequence_ids is not None:
        named += f" (sequence_id {int(batch.sequence_ids[row])})"
    why = "a token id is never negative" if token < 0 else limit.reason
    raise SourceError(
        f"{where} holds token id {token} at position {place - int(batch.offsets[row])} of {named}, and {why}; "
        "check --dtype and --sequence-length, and that the tokenizer is this corpus' own"
    )


def token_lists(batch: TokenBatch, token_type: np.dtype) -> pa.ListArray:
    """The batch as `list<uint16>` or `list<uint32>`; tokens are copied only where their width differs.

    The tokens must have passed `check_tokens`.
    """
    values = batch.values
    if values.dtype.kind == "i" and values.dtype.itemsize == token_type.itemsize:
        values = values.view(token_type)
    values = np.ascontiguousarray(values, dtype=token_type)
    flat = pa.Array.from_buffers(pa.from_numpy_dtype(token_type), len(values), [None, pa.py_buffer(values)])
    return pa.ListArray.from_arrays(pa.array(batch.offsets.astype(np.int32)), flat)
