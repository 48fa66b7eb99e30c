"""Finding the text of installed files: the interpreter's standard library and the distributions beside it.

A file is named by its origin (a distribution's name, or `stdlib`) and its path within it, so that a manifest written on
one machine can be compared with one written on another: nothing here keeps where a file lies.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

STDLIB = "stdlib"


@dataclass(frozen=True)
class InstalledFile:
    """One readable file of the standard library or of a distribution.

    Attributes:
        origin: `stdlib`, or the distribution's name as the selection spells it.
        version: the interpreter's or the distribution's version.
        path: where the file lies within its origin, with forward slashes.
        location: where it lies on this machine (never written anywhere).
    """

    origin: str
    version: str
    path: str
    location: Path

    @cached_property
    def content(self) -> bytes:
        """The file's bytes."""
        return self.location.read_bytes()

    def text(self) -> str | None:
        """The file as UTF-8 text, every character as it is in the file, or None if it is not text."""
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            return None


def find(origin: str, path: str) -> InstalledFile | None:
    """The file `path` of `origin`, or None if this machine has no such origin or file.

    In `path`, the folder `*.dist-info` stands for the distribution's own metadata folder, whose name holds the version.
    """
    depth = path.count("/")
    for file in files_of(origin):
        # `match` compares from the right: without the depth, "cmd.py" would also be "distutils/cmd.py".
        if file.path.count("/") == depth and PurePosixPath(file.path).match(path):
            return file
    return None


def files_of(origin: str) -> Iterator[InstalledFile]:
    """Every file that `origin` installed, in the order of their paths; nothing for an origin that is not installed."""
    version, located = _located(origin)
    for path, location in located:
        yield InstalledFile(origin, version, path, location)


@lru_cache(maxsize=256)
def _located(origin: str) -> tuple[str, tuple[tuple[str, Path], ...]]:
    if origin == STDLIB:
        root = Path(sysconfig.get_path("stdlib"))
        # Two levels hold all that the selection names. A full walk would meet site-packages, which some interpreters
        # keep inside the standard library's folder.
        found = [
            (file.relative_to(root).as_posix(), file)
            for pattern in ("*.py", "*.txt", "*/*.py")
            for file in root.glob(pattern)
            if file.is_file() and file.parent.name not in ("site-packages", "dist-packages")
        ]
        return platform.python_version(), tuple(sorted(found))
    try:
        distribution = importlib.metadata.distribution(origin)
    except importlib.metadata.PackageNotFoundError:
        return "", ()
    located = []
    for entry in distribution.files or ():
        if ".." in entry.parts or entry.suffix in (".pyc", ".so", ".dylib", ".pyd"):
            continue
        located.append((entry.as_posix(), Path(str(entry.locate()))))
    return distribution.version, tuple(sorted(located))
