"""`memtax doctor`: says what is there, and fails where something that is needed is missing."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from memtax import doctor, store
from memtax.corpus.ingest import ingest_corpus
from memtax.corpus.source import SourceOptions
from memtax.models.describe import files_checksum
from tests.conftest import PROJECT, Commands
from tests.corpus.helpers import word_tokenizer, write_bin


def test_a_built_store_is_in_order(demo: Commands) -> None:
    output = demo.memtax("doctor").stdout
    for expected in ("python", "duckdb", "native extension", "uses", "features", "rows", "demo-large"):
        assert expected in output
    assert "✗" not in output


def test_no_database_is_only_a_note(commands: Commands) -> None:
    result = commands.memtax("doctor")
    assert "is not there yet" in result.stdout


def test_a_missing_model_is_a_fault_with_a_remedy(demo: Commands, commands: Commands, tmp_path: Path) -> None:
    shutil.copy(demo.database, commands.database)
    with store.writing(commands.database) as connection:
        connection.execute("update raw.models set location = ?", [str(tmp_path / "gone")])
    result = commands.memtax("doctor", check=False)
    assert result.returncode == 1
    assert "is gone" in result.stdout
    assert "memtax ingest model" in result.stdout


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a corpus in place, its tokenizer and two models, all as they were registered; and a model on the hub."""
    (tmp_path / "dbt_project.yml").write_text("name: memtax\n")
    monkeypatch.setenv("MEMTAX_PROJECT", str(tmp_path))
    monkeypatch.setenv("MEMTAX_DATABASE", str(tmp_path / "store.duckdb"))
    tokens = write_bin(tmp_path / "tokens.bin", [[1, 2, 3, 4]])
    tokenizer = word_tokenizer(tmp_path / "tokenizer.json", 9)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "packed.gguf").write_bytes(b"all in one")
    with store.writing() as connection:
        options = SourceOptions(sequence_length=2)
        ingest_corpus(connection, "c", [tokens], tokenizer=str(tokenizer), options=options, in_place=True)
        connection.executemany(
            "insert into raw.models (model, revision, corpus, location, checksum) values (?, 'main', 'c', ?, ?)",
            [
                ("tiny", str(tmp_path / "model"), files_checksum(tmp_path / "model")),
                ("packed", str(tmp_path / "packed.gguf"), files_checksum(tmp_path / "packed.gguf")),
                ("far", "owner/far", "commit:1"),
            ],
        )
    return tmp_path


def faults() -> list[doctor.Finding]:
    return [finding for finding in doctor.examine() if finding.level == doctor.FAULT and finding.subject != "dbt"]


def test_what_is_as_it_was_registered_is_no_fault(registered: Path) -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("name", "subject", "words"),
    [
        ("tokens.bin", "corpus c", ["tokens.bin", "since it was registered", "memtax ingest corpus c"]),
        ("tokenizer.json", "corpus c", ["tokenizer.json", "put that one back"]),
        ("model/model.safetensors", "model tiny@main", ["memtax ingest model"]),
        ("model/config.json", "model tiny@main", ["memtax ingest model"]),
        ("packed.gguf", "model packed@main", ["memtax ingest model"]),
    ],
)
def test_what_has_changed_is_a_fault_with_a_remedy(registered: Path, name: str, subject: str, words: list[str]) -> None:
    path = registered / name
    path.write_bytes(path.read_bytes() + b" ")
    (fault,) = faults()
    assert fault.subject == subject
    for word in words:
        assert word in fault.detail + fault.remedy


def test_a_file_in_place_that_was_only_touched_is_a_fault_as_for_a_scan(registered: Path) -> None:
    os.utime(registered / "tokens.bin", ns=(1, 1))
    (fault,) = faults()
    assert "was written to or copied again" in fault.detail


@pytest.mark.parametrize(
    ("version", "level", "words"),
    [
        ('openjdk version "17.0.9" 2023-10-17', doctor.OK, "17"),
        ('openjdk version "21" 2023-09-19', doctor.OK, "21"),
        ('java version "1.8.0_391"', doctor.NOTE, "Java 8; memtax spark needs 17"),
        ("something else", doctor.NOTE, "no Java that states its version"),
    ],
)
def test_the_java_that_spark_would_start_is_looked_at(
    registered: Path, monkeypatch: pytest.MonkeyPatch, version: str, level: str, words: str
) -> None:
    java = registered / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{version}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(registered))
    (finding,) = [finding for finding in doctor.examine() if finding.subject == "java"]
    assert (finding.level, words in finding.detail) == (level, True)


def test_no_java_is_a_note_with_a_remedy(registered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(registered))
    (finding,) = [finding for finding in doctor.examine() if finding.subject == "java"]
    assert finding.level == doctor.NOTE and "install Java 17" in finding.remedy


def test_an_extra_that_lacks_a_package_is_a_note(registered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.EXTRAS, "spark", ("no_such_package.inside",))
    (finding,) = [finding for finding in doctor.examine() if finding.subject == "extra spark"]
    assert finding.level == doctor.NOTE and finding.remedy == "pip install 'memtax[spark]'"


def test_every_extra_that_memtax_names_is_one_of_the_project() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    sources = [file.read_text() for file in (PROJECT / "memtax").rglob("*.py")]
    named = {extra for text in sources for extra in re.findall(r'MissingExtraError\([^)]*"(\w+)"\)', text)}
    assert named
    assert (named | doctor.EXTRAS.keys()) <= declared.keys()
