"""The manifest of an exported folder: what each file is, so that it can be verified, loaded and replaced."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from memtax.errors import SourceError
from memtax.export.shards import WrittenTable
from memtax.quoting import identifier, literals

MANIFEST = "memtax-export.json"
VERSION = 1
BLOCK = 2**20


@dataclass(frozen=True)
class FileRecord:
    """One file: its path in the folder, size, sha256 and (of a shard) its table's name, split and rows."""

    path: str
    bytes: int
    sha256: str
    config: str | None = None
    split: str | None = None
    rows: int | None = None


def write_manifest(folder: Path, written: list[WrittenTable], facts: dict[str, Any]) -> list[FileRecord]:
    """Record every file of `folder`; the same files make the same manifest."""
    records = [_record(folder, "README.md")]
    for table in written:
        for path in table.files:
            rows = pq.read_metadata(folder / path).num_rows
            records.append(_record(folder, path, table.table.config, table.table.split, rows))
    content = {"format": VERSION, **facts, "files": [asdict(record) for record in records]}
    (folder / MANIFEST).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return records


def read_manifest(folder: Path) -> list[FileRecord]:
    """The files that the manifest of `folder` lists.

    Raises:
        SourceError: there is no manifest, it is not one of ours, or it names a file outside of the folder.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise SourceError(f"{folder} holds no {MANIFEST}; it is not a folder that memtax export finished")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != VERSION:
            raise SourceError(f"{path} has format {content['format']}, this memtax reads {VERSION}; update memtax")
        records = [FileRecord(**record) for record in content["files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path} is damaged ({error}); export again") from error
    for record in records:
        if not (folder / record.path).resolve().is_relative_to(folder.resolve()):
            raise SourceError(f"{path} names {record.path}, which is outside of the folder; do not trust this export")
    return records


def verify(folder: Path) -> list[FileRecord]:
    """Check every file against the manifest; returns the records.

    Raises:
        SourceError: naming each file that is missing, changed or not listed.
    """
    records = read_manifest(folder)
    faults = []
    for record in records:
        path = folder / record.path
        if not path.is_file():
            faults.append(f"{record.path} is missing")
        elif path.stat().st_size != record.bytes:
            faults.append(f"{record.path} has {path.stat().st_size:,} bytes, expected {record.bytes:,}")
        elif _sha256(path) != record.sha256:
            faults.append(f"{record.path} has other content than was exported")
        elif record.rows is not None and pq.read_metadata(path).num_rows != record.rows:
            faults.append(f"{record.path} has other rows than the manifest says")
    listed = {record.path for record in records} | {MANIFEST}
    faults += [f"{path} is not in the manifest" for path in sorted(set(files_in(folder)) - listed)]
    if faults:
        raise SourceError(f"{folder} is not as it was exported: {'; '.join(faults)}. Export again, or fetch it again")
    return records


def files_in(folder: Path) -> list[str]:
    """The visible files below a folder, relative to it."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [str(path) for path in paths if not any(part.startswith(".") for part in path.parts)]


def attach_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the tables of an exported folder views of `connection`, under their names (a paper schema's by split).

    Raises:
        SourceError: the folder holds no export, or a file of it is missing.
    """
    tables: dict[str, list[str]] = {}
    for record in read_manifest(folder):
        if record.config is not None:
            if not (folder / record.path).is_file():
                raise SourceError(f"{folder / record.path} is missing; see memtax export --verify {folder}")
            name = record.config if record.split == "train" else str(record.split)
            tables.setdefault(name, []).append(str(folder / record.path))
    for name, paths in tables.items():
        connection.execute(f"create view {identifier(name)} as from read_parquet([{literals(paths)}])")


def _record(
    folder: Path, path: str, config: str | None = None, split: str | None = None, rows: int | None = None
) -> FileRecord:
    file = folder / path
    return FileRecord(path, file.stat().st_size, _sha256(file), config, split, rows)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
