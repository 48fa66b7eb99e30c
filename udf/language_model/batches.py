"""Working through rows in batches that fit into memory: one that does not is halved, and the work goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from udf.errors import UdfError
from udf.language_model.libraries import empty_device_cache, is_out_of_memory
from udf.language_model.loading import LanguageModel
from udf.scan_progress import scan_progress

T = TypeVar("T")


def in_batches(
    n: int, batch_size: int, work: Callable[[slice], T], *, model: LanguageModel, kind: str, length: int
) -> list[tuple[slice, T]]:
    """Call `work` for consecutive slices of n rows; where it runs out of memory, again for half as many rows.

    What a batch took is let go before the next one is tried. The model remembers how many tokens to a batch fit, so that
    later calls do not run out of memory again. What is done counts as progress (`udf/scan_progress.py`).

    Args:
        n: rows.
        batch_size: rows to begin with, at least 1.
        work: computes one slice.
        model: who works.
        kind: what is done; each kind takes memory of its own for a token.
        length: tokens of a row.

    Returns:
        each slice with what `work` returned for it, in order; together they are the n rows.

    Raises:
        UdfError: one row alone does not fit.
    """
    done: list[tuple[slice, T]] = []
    start = 0
    while start < n:
        fitting = model.fitting_tokens.get(kind, batch_size * length)
        rows = slice(start, min(start + max(1, min(batch_size, fitting // max(length, 1))), n))
        try:
            done.append((rows, work(rows)))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if rows.stop - rows.start == 1:
                raise UdfError(
                    f"one sequence of {length} tokens does not fit into memory beside {model.name}; use a smaller model, "
                    "or dtype bfloat16"
                ) from error
            model.fitting_tokens[kind] = (rows.stop - rows.start) // 2 * length
        else:
            scan_progress.advance(rows.stop - start)
            start = rows.stop
            continue
        # Outside of the handler, where the failed batch's tensors are no longer held by the error's traceback.
        empty_device_cache()
    return done
