"""Making the folder: all of it or nothing, in the place of an earlier export but never of anything else."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from memtax import __version__
from memtax.corpus.progress import Progress, silent
from memtax.errors import SourceError
from memtax.export.card import card
from memtax.export.descriptions import described_columns, described_marts
from memtax.export.manifest import MANIFEST, FileRecord, files_in, read_manifest, write_manifest
from memtax.export.paper import paper_tables
from memtax.export.selection import choose_rows, columns_of, limited, memtax_tables
from memtax.export.shards import write_table
from memtax.export.without_text import NOTE
from memtax.project import project_folder, project_vars

DEFAULT_SHARD_BYTES = 500 * 10**6


@dataclass(frozen=True)
class ExportOptions:
    """What to write.

    Attributes:
        schema: 'memtax', or 'paper' for its 27 columns.
        tables: of schema memtax; none for all.
        where: a condition on the columns of `features`.
        without_text: leave out what the corpus' text can be read from, and blur the frequencies of single tokens.
        swapped_matches: of schema paper: name the match columns as the published data does.
        license_id: the card's licence.
        shard_bytes: no file is larger, but for one whose single row group is.
    """

    schema: str = "memtax"
    tables: tuple[str, ...] = ()
    where: str | None = None
    without_text: bool = False
    swapped_matches: bool = False
    license_id: str = "unknown"
    shard_bytes: int = DEFAULT_SHARD_BYTES


def export_folder(
    connection: duckdb.DuckDBPyConnection, folder: Path, options: ExportOptions, progress: Progress = silent
) -> list[FileRecord]:
    """Write the tables of a store to `folder`, and say which files it holds.

    They are written beside it and moved there when all are complete.

    Raises:
        StoreError: a table is missing, or the condition is none.
        SourceError: the folder holds something else than an export.
    """
    folder = folder.expanduser().resolve()
    _require_replaceable(folder)
    choose_rows(connection, options.where)
    if options.schema == "paper":
        if options.tables:
            raise SourceError("--schema paper writes features alone; leave --tables out")
        columns = described_columns(project_folder())
        tables = paper_tables(connection, columns, without_text=options.without_text, swapped=options.swapped_matches)
    else:
        described = described_marts(project_folder())
        tables = memtax_tables(connection, described, options.tables, without_text=options.without_text)
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        written = []
        for index, table in enumerate(tables):
            progress(index / len(tables), table.config)
            written.append(write_table(connection, table, making, options.shard_bytes))
        facts = _facts(options)
        text = card(
            written,
            title=folder.name,
            license_id=options.license_id,
            note=NOTE if options.without_text else "",
            facts=facts,
            declared_vars=project_vars(),
            sources=_sources(connection),
        )
        (making / "README.md").write_text(text, encoding="utf-8")
        records = write_manifest(making, written, facts)
        making.chmod(0o755)
        _put_in_place(making, folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return records


def _facts(options: ExportOptions) -> dict[str, Any]:
    facts: dict[str, Any] = {"memtax": __version__, "duckdb": duckdb.__version__, "pyarrow": pa.__version__}
    facts["schema"] = options.schema
    if options.where is not None:
        facts["where"] = options.where
    facts["without_text"] = options.without_text
    return facts


def _sources(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Lines on the corpora and the language models that the chosen rows are of."""
    built, lines = columns_of(connection), []
    if "dim_corpora" in built:
        for corpus, n_sequences, n_tokens in connection.execute(
            f"select corpus, n_sequences, n_tokens from main.dim_corpora{limited(connection, built['dim_corpora'])} "  # noqa: S608
            "order by all"
        ).fetchall():
            size = f"{n_sequences:,} sequences, {n_tokens:,} tokens" if n_sequences else "not landed"
            lines.append(f"corpus {corpus}: {size}")
    if "dim_models" in built:
        models = connection.execute(
            f"select model, revision from main.dim_models{limited(connection, built['dim_models'])} order by all"  # noqa: S608
        ).fetchall()
        if models:
            lines.append("language models: " + ", ".join(f"{model}@{revision}" for model, revision in models))
    return lines


def _require_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise SourceError(f"{folder} is a file; name a folder to export to")
    there = files_in(folder)
    if not there:
        return
    if not (folder / MANIFEST).is_file():
        raise SourceError(f"{folder} holds {there[0]} and no earlier export; name a new or empty folder")
    others = sorted(set(there) - {record.path for record in read_manifest(folder)} - {MANIFEST})
    if others:
        raise SourceError(f"{folder} holds {others[0]}, which no export wrote; move it away, or name another folder")


def _put_in_place(making: Path, folder: Path) -> None:
    if not folder.exists():
        making.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent)) / "old"
    folder.rename(old)
    try:
        making.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)
