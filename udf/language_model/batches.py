"""Working through rows in batches that fit into memory: one that does not is halved, and the work goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from udf.errors import UdfError

T = TypeVar("T")


def in_batches(
    n: int, batch_size: int, work: Callable[[slice], T], *, model: str, length: int
) -> list[tuple[slice, T]]:
    """Call `work` for consecutive slices of n rows; where it runs out of memory, again for half as many rows.

    What a batch took is let go before the next one is tried, and smaller batches stay small.

    Args:
        n: rows.
        batch_size: rows to begin with, at least 1.
        work: computes one slice.
        model, length: who works on sequences of how many tokens, for the message.

    Returns:
        each slice with what `work` returned for it, in order; together they are the n rows.

    Raises:
        UdfError: one row alone does not fit.
    """
    done: list[tuple[slice, T]] = []
    start = 0
    while start < n:
        rows = slice(start, min(start + batch_size, n))
        try:
            done.append((rows, work(rows)))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if rows.stop - rows.start == 1:
                raise UdfError(
                    f"one sequence of {length} tokens does not fit into memory beside {model}; use a smaller model, or "
                    "dtype bfloat16"
                ) from error
            batch_size = (rows.stop - rows.start) // 2
        else:
            start = rows.stop
            continue
        # Outside of the handler, where the failed batch's tensors are no longer held by the error's traceback.
        _empty_device_cache()
    return done


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch ran out of memory, on a device or on the processor."""
    import torch

    # torch's allocator for the CPU has no error class of its own.
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _empty_device_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
