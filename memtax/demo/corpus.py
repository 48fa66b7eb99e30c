"""Collects the demo's documents from installed files, as JSONL for `memtax ingest corpus` with a manifest beside it."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from memtax.demo.installed import InstalledFile, files_of, find
from memtax.demo.manifest import DocumentEntry, FileEntry, Manifest
from memtax.demo.selection import LicenceRule, Passage, Selection
from memtax.demo.sizes import size_named
from memtax.errors import SourceError

DOCUMENTS = "documents.jsonl"
MANIFEST = "manifest.json"

_LICENCE = re.compile(r"(^|[-_.])(licen[cs]e|copying)([-_.]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Document:
    """One document of the corpus, and the file and place that it was read from."""

    entry: DocumentEntry
    file: InstalledFile
    text: str


@dataclass(frozen=True)
class CorpusInfo:
    """What `build_corpus` wrote.

    Attributes:
        documents: the JSONL file, one `{"id", "text"}` a line.
        manifest: the JSON file that names every installed file used.
        n_documents: documents written.
        n_files: installed files used.
        n_characters: characters in all documents.
        sha256: of the JSONL file.
        missing: what the selection names and this machine lacks.
    """

    documents: Path
    manifest: Path
    n_documents: int
    n_files: int
    n_characters: int
    sha256: str
    missing: tuple[str, ...]


def build_corpus(folder: Path | str, size: str) -> CorpusInfo:
    """Write the documents of the demo `size` and their manifest into `folder`.

    The same installed versions give the same two files, byte for byte.

    Raises:
        SourceError: too little of the selected text is installed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = size_named(size)
    documents, missing = collect(settings.selection, settings.seed)
    characters = sum(len(document.text) for document in documents)
    if characters < settings.selection.minimum_characters:
        raise SourceError(
            f"the demo found {characters:,} characters of installed text, and needs "
            f"{settings.selection.minimum_characters:,}; missing are {', '.join(missing[:8]) or 'none'}: "
            "run make setup, which installs what the lock file names"
        )
    lines = "".join(
        # Escaped to ASCII: no character of the text can then look like the end of a line to any reader.
        json.dumps({"id": document.entry.id, "text": document.text}) + "\n"
        for document in documents
    )
    manifest = Manifest(size, _file_entries(documents), missing)
    _write(folder / DOCUMENTS, lines)
    _write(folder / MANIFEST, manifest.to_json())
    return CorpusInfo(
        documents=folder / DOCUMENTS,
        manifest=folder / MANIFEST,
        n_documents=len(documents),
        n_files=len(manifest.files),
        n_characters=characters,
        sha256=hashlib.sha256(lines.encode()).hexdigest(),
        missing=missing,
    )


def collect(selection: Selection, seed: int) -> tuple[list[Document], tuple[str, ...]]:
    """The documents of a selection in their order in the corpus, and the names of what is not installed.

    The order is a seeded shuffle, as training corpora are shuffled: copies of one text then meet the borders of the
    packed sequences at different places, instead of lying in step.
    """
    found = []
    missing = []
    for rule in selection.licences:
        for origin in rule.origins:
            licences = list(_licences(rule, origin))
            found.extend(licences)
            if not licences and not any(True for _ in files_of(origin)):
                missing.append(origin)
    for passage in selection.passages:
        document = _passage(passage)
        if document is None:
            missing.append(f"{passage.origin}: {passage.path}")
        else:
            found.append(document)
    unique = {document.entry.id: document for document in found}
    documents = [unique[name] for name in sorted(unique)]
    random.Random(seed).shuffle(documents)  # noqa: S311 - an order, not a secret
    return documents, tuple(sorted(set(missing)))


def _licences(rule: LicenceRule, origin: str) -> Iterator[Document]:
    for file in files_of(origin):
        if ".dist-info/" not in file.path or not _LICENCE.search(file.location.name):
            continue
        if not file.location.is_file() or file.location.stat().st_size > rule.characters:
            continue
        text = file.text()
        if text and not text.isspace():
            yield _document("licences", file, text, 0, len(text))


def _passage(passage: Passage) -> Document | None:
    file = find(passage.origin, passage.path)
    text = file.text() if file is not None and file.location.is_file() else None
    if file is None or text is None:
        return None
    start = text.find(passage.start) if passage.start else 0
    if start < 0:
        return None
    stop = len(text)
    if passage.characters is not None and start + passage.characters < stop:
        stop = start + passage.characters
        # A passage ends with a line, so that it reads as text; a single line that is longer is cut where it has to be.
        end_of_line = text.rfind("\n", start, stop) + 1
        stop = end_of_line if end_of_line > start + passage.characters // 2 else stop
    return _document(passage.kind, file, text, start, stop) if start < stop else None


def _document(kind: str, file: InstalledFile, text: str, start: int, stop: int) -> Document:
    name = f"{file.origin}/{file.path}" + ("" if (start, stop) == (0, len(text)) else f"#{start}-{stop}")
    return Document(DocumentEntry(name, kind, start, stop - start), file, text[start:stop])


def _file_entries(documents: list[Document]) -> tuple[FileEntry, ...]:
    by_file = defaultdict(list)
    for document in documents:
        by_file[document.file.origin, document.file.path].append(document)
    return tuple(
        FileEntry.of(group[0].file, tuple(sorted((document.entry for document in group), key=lambda entry: entry.id)))
        for _, group in sorted(by_file.items())
    )


def _write(path: Path, text: str) -> None:
    """Put a file in place whole: the next command must not read one that a kill cut short."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
