"""The project and the database are found from any folder, and what is wrong is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from memtax import project
from memtax.errors import ProjectError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MEMTAX_PROJECT", raising=False)
    monkeypatch.delenv("MEMTAX_DATABASE", raising=False)
    (tmp_path / "dbt_project.yml").write_text("name: memtax\nvars:\n  prompt_length: 16\n", encoding="utf-8")
    (tmp_path / "below" / "deeper").mkdir(parents=True)
    return tmp_path


def test_the_project_is_found_from_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "below" / "deeper")
    assert project.project_folder() == folder
    assert project.project_vars() == {"prompt_length": 16}


def test_another_projects_file_does_not_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "below" / "dbt_project.yml").write_text("name: other\n", encoding="utf-8")
    monkeypatch.chdir(folder / "below")
    assert project.project_folder() == folder


def test_a_relative_database_lies_in_the_projects_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "below")
    assert project.database_path() == folder / "memtax.duckdb"
    monkeypatch.setenv("MEMTAX_DATABASE", "stores/one.duckdb")
    assert project.database_path() == folder / "stores" / "one.duckdb"
    monkeypatch.setenv("MEMTAX_DATABASE", str(folder / "two.duckdb"))
    assert project.database_path() == folder / "two.duckdb"


def test_no_project_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEMTAX_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProjectError, match="no memtax project at or above"):
        project.project_folder()


def test_broken_yaml_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "dbt_project.yml").write_text("name: [memtax", encoding="utf-8")
    monkeypatch.setenv("MEMTAX_PROJECT", str(folder))
    with pytest.raises(ProjectError, match="is not valid YAML"):
        project.project_vars()
