"""What the C library does with memory that is freed: it stays with the process, for the next batch of a scan."""

from __future__ import annotations

import ctypes
import os
import platform

# The parameters' numbers in glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_VARIABLES = (
    "GLIBC_TUNABLES",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_MMAP_MAX_",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_TOP_PAD_",
)


def keep_freed_memory() -> bool:
    """Let this process keep up to a gigabyte of what it frees; whether the allocator takes that.

    DuckDB allocates and frees tens of megabytes for each batch that it hands to a UDF. By default glibc returns such
    blocks at once, and the next batch faults every page of them in again: half of the time of the hand-over. Blocks of
    64 MiB and more are still returned at once. Nothing is done, and the answer is False, with another C library, or where
    the environment already says what glibc's allocator shall do.
    """
    if platform.libc_ver()[0] != "glibc" or any(variable in os.environ for variable in _VARIABLES):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # The last keeps a thread's emptied heaps, which are of 64 MiB: the threshold for trimming counts only within one.
    settings = {_MMAP_THRESHOLD: 64 << 20, _TRIM_THRESHOLD: 1 << 30, _TOP_PAD: 64 << 20}
    return all(mallopt(parameter, value) == 1 for parameter, value in settings.items())
