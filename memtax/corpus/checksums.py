"""What identifies a shard: the content of its files, or (in place) their size, time and sampled blocks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

READ_BYTES = 4 << 20
BLOCK_BYTES = 64 << 10
SAMPLED_BLOCKS = 64


class BackgroundChecksum:
    """`content_checksum`, computed in a thread from the beginning of the block; leaving the block stops it."""

    def __init__(self, paths: Sequence[Path], shape: dict[str, str | int | None]) -> None:
        self._stop = Event()
        self._pool = ThreadPoolExecutor(1)
        self._future = self._pool.submit(content_checksum, paths, shape, self._stop)

    def result(self) -> str:
        """The checksum, as soon as it is known."""
        return self._future.result()

    def __enter__(self) -> BackgroundChecksum:
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        self._pool.shutdown()


def content_checksum(paths: Sequence[Path], shape: dict[str, str | int | None], stop: Event | None = None) -> str:
    """sha256 of the files' bytes, in order, and of what else decides which sequences come out of them.

    Args:
        paths: the files.
        shape: what else decides.
        stop: once set, give up; the result is then of no use.
    """
    digest = sha256(json.dumps(shape, sort_keys=True).encode())
    buffer = bytearray(READ_BYTES)
    view = memoryview(buffer)
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while (count := file.readinto(buffer)) and not (stop and stop.is_set()):
                digest.update(view[:count])
    return digest.hexdigest()


def blocks_checksum(paths: Sequence[Path], shape: dict[str, str | int | None]) -> str:
    """sha256 of each file's size and of up to SAMPLED_BLOCKS blocks spread evenly over it, first and last included."""
    digest = sha256(json.dumps(shape, sort_keys=True).encode())
    for path in paths:
        size = path.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with path.open("rb", buffering=0) as file:
            for start in block_starts(size):
                file.seek(start)
                digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()


def block_starts(size: int) -> list[int]:
    """Where the sampled blocks of a file of `size` bytes begin."""
    if size <= SAMPLED_BLOCKS * BLOCK_BYTES:
        return list(range(0, size, BLOCK_BYTES))
    return [(size - BLOCK_BYTES) * block // (SAMPLED_BLOCKS - 1) for block in range(SAMPLED_BLOCKS)]


def times_checksum(paths: Sequence[Path], blocks: str) -> str:
    """sha256 of `blocks_checksum` and each file's time of change: what stands for the content of files in place."""
    digest = sha256(blocks.encode())
    for path in paths:
        digest.update(path.stat().st_mtime_ns.to_bytes(16, "little", signed=True))
    return digest.hexdigest()
