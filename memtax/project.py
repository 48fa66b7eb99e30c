"""Where the dbt project is, which database it writes, and the vars that it declares."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from memtax.errors import ProjectError

PROJECT_FILE = "dbt_project.yml"
DATABASE_VARIABLE = "MEMTAX_DATABASE"
PROJECT_VARIABLE = "MEMTAX_PROJECT"
DEFAULT_DATABASE = "memtax.duckdb"


def project_folder() -> Path:
    """The folder of memtax's dbt project: `MEMTAX_PROJECT`, or the nearest at or above the working folder.

    Raises:
        ProjectError: there is none.
    """
    named = os.environ.get(PROJECT_VARIABLE)
    if named:
        folder = Path(named).expanduser().resolve()
        if not (folder / PROJECT_FILE).is_file():
            raise ProjectError(f"{PROJECT_VARIABLE}={named} holds no {PROJECT_FILE}; set it to the folder that does")
        return folder
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if _is_memtax_project(folder / PROJECT_FILE):
            return folder
    raise ProjectError(
        f"no memtax project at or above {here} (a folder with memtax's {PROJECT_FILE}); change to the project's folder, "
        f"or set {PROJECT_VARIABLE} to it"
    )


def database_path() -> Path:
    """The database file: `MEMTAX_DATABASE`, relative to the project's folder like dbt reads it."""
    named = Path(os.environ.get(DATABASE_VARIABLE) or DEFAULT_DATABASE).expanduser()
    return named if named.is_absolute() else project_folder() / named


def project_vars() -> dict[str, Any]:
    """The vars of `dbt_project.yml`, as declared there (a `--vars` of dbt's is not seen here).

    Raises:
        ProjectError: the file is not valid YAML.
    """
    path = project_folder() / PROJECT_FILE
    return dict(_read(path).get("vars") or {})


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ProjectError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise ProjectError(f"{path} holds {type(content).__name__}, expected a mapping")
    return content


def _is_memtax_project(path: Path) -> bool:
    return path.is_file() and _read(path).get("name") == "memtax"
