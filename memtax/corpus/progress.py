"""Progress of long work, on stderr: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

PLAIN_EVERY_SECONDS = 10.0


class Progress(Protocol):
    """Called with the share that is done (0 … 1) and a few words on it."""

    def __call__(self, share: float, words: str) -> None:
        """Show it."""


def silent(share: float, words: str) -> None:
    """Show nothing."""


@contextmanager
def shown(title: str) -> Iterator[Progress]:
    """Show progress under a title until the block ends."""
    if not sys.stderr.isatty():
        yield _PlainLines(title)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    # A name of the user's may look like markup, "[/x]" say, and is none.
    title_column = TextColumn("{task.description}", markup=False)
    words_column = TextColumn("{task.fields[words]}", markup=False)
    columns = (title_column, BarColumn(), TaskProgressColumn(), words_column)
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0, words="")
        yield lambda share, words: bar.update(task, completed=share, words=words)


class _PlainLines:
    def __init__(self, title: str) -> None:
        self._title = title
        self._next = time.monotonic() + PLAIN_EVERY_SECONDS

    def __call__(self, share: float, words: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + PLAIN_EVERY_SECONDS
            print(f"{self._title}: {share:.0%}, {words}", file=sys.stderr, flush=True)
