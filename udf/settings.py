"""How many threads native code takes: set once for a dbt run, or by the environment."""

from __future__ import annotations

import os
import threading

import pyarrow as pa

from udf.errors import UdfError
from udf.registry import udf

VARIABLE = "MEMTAX_THREADS"


class _Threads:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chosen = 0

    def choose(self, number: int) -> None:
        with self._lock:
            self._chosen = number

    def chosen(self) -> int:
        with self._lock:
            return self._chosen


_threads = _Threads()


@udf([pa.int32()], pa.int32(), volatile=True)
def set_threads(numbers: pa.Array) -> pa.Array:
    """Let native code of this process use so many threads from now on; 0 leaves it to the environment again.

    A dbt run calls it when it starts, with the var `threads`: vars reach SQL alone, and the functions that need the number
    are called a million times.

    Raises:
        UdfError: the number is negative.
    """
    for number in numbers.to_pylist():
        if number is not None:
            if number < 0:
                raise UdfError(f"set_threads() got {number}; expected a number of threads, or 0 for all processors")
            _threads.choose(number)
    return numbers


def threads() -> int:
    """How many threads native code may use: what `set_threads` said, else MEMTAX_THREADS; 0 stands for all processors.

    Raises:
        UdfError: the variable is not a whole number from 0 on.
    """
    chosen = _threads.chosen()
    if chosen:
        return chosen
    text = os.environ.get(VARIABLE, "").strip()
    if not text.isdigit() and text:
        raise UdfError(f"{VARIABLE} is {text!r}; set it to a number of threads, or to 0 for all processors")
    return int(text or 0)


def available_threads() -> int:
    """The same as a number from 1 on: for all processors, how many this process may use, where the system tells.

    Raises:
        UdfError: as `threads`.
    """
    if chosen := threads():
        return chosen
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
