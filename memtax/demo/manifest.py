"""The manifest: which installed files the demo's corpus is made of, so that anybody can check that none is made up."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from memtax.demo.installed import InstalledFile


@dataclass(frozen=True)
class DocumentEntry:
    """Where one document of the corpus lies in its file, counted in characters of the decoded text."""

    id: str
    kind: str
    start: int
    characters: int


@dataclass(frozen=True)
class FileEntry:
    """One installed file that went into the corpus.

    Attributes:
        origin: `stdlib` or the distribution.
        version: of the interpreter or the distribution.
        path: within the origin.
        bytes: the size of the whole file.
        sha256: of the whole file.
        documents: the passages that were taken from it.
        times_used: how often its text occurs in the corpus because the demo put it there: always once.
    """

    origin: str
    version: str
    path: str
    bytes: int
    sha256: str
    documents: tuple[DocumentEntry, ...]
    times_used: int = 1

    @classmethod
    def of(cls, file: InstalledFile, documents: tuple[DocumentEntry, ...]) -> FileEntry:
        """The entry of a file and the documents taken from it."""
        digest = hashlib.sha256(file.content).hexdigest()
        return cls(file.origin, file.version, file.path, len(file.content), digest, documents)


@dataclass(frozen=True)
class Manifest:
    """Every file of a corpus, and what the selection names but this machine does not have."""

    size: str
    files: tuple[FileEntry, ...]
    missing: tuple[str, ...]

    def to_json(self) -> str:
        """The manifest as JSON: the same text for the same installed files."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"
