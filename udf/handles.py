"""Where the file behind a handle is: at its path, or where an engine has brought a copy of it.

A handle is the path of an immutable file whose name is a digest of its content. An engine of several machines sends such
a file to each once; the copy has the same name, and so the same content.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Lookup = Callable[[str], str | None]
"""The name of a file -> the path where a copy of it should be, or None where there is none."""

_lookups: list[Lookup] = []


def look_up_with(lookup: Lookup) -> None:
    """From now on, let this process look for copies there first; a second call with the same function changes nothing."""
    if lookup not in _lookups:
        _lookups.append(lookup)


def located(handle: str | Path) -> Path:
    """The path from which to open a handle's file: a copy that was brought here, else its own."""
    path = Path(handle)
    for lookup in _lookups:
        copy = lookup(path.name)
        if copy is not None and Path(copy).is_file():
            return Path(copy)
    return path
