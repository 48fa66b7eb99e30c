"""What the dbt project says of its marts: grain, columns, and which of them hold text of the corpus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from memtax.errors import ProjectError

# Both build plain values only; the one in C does it in a tenth of the time.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DOC_BLOCK = re.compile(r"{%\s*docs\s+(\w+)\s*%}(.*?){%\s*enddocs\s*%}", re.DOTALL)
REF = re.compile(r"\bref\(\s*['\"](\w+)['\"]\s*\)")
DOC_CALL = re.compile(r"{{\s*doc\(\s*['\"](\w+)['\"]\s*\)\s*}}")


@dataclass(frozen=True)
class TableDescription:
    """What the YAML beside a model says of it.

    Attributes:
        name: the table.
        description: its grain and what it is.
        columns: what each column is.
        key: the columns that tell its rows apart; empty if no test says so.
        sources: the models that it is made from.
    """

    name: str
    description: str
    columns: dict[str, str]
    key: tuple[str, ...]
    sources: tuple[str, ...] = ()


def described_marts(project: Path) -> dict[str, TableDescription]:
    """The tables of schema `main`, in the order of the project's files.

    Raises:
        ProjectError: a description calls a doc block that no file has.
    """
    blocks: dict[str, str] = {}
    for path in sorted((project / "models").rglob("*.md")):
        for name, text in DOC_BLOCK.findall(path.read_text(encoding="utf-8")):
            blocks[name] = _one_line(text)
    tables = {}
    for path in sorted((project / "models" / "marts").rglob("*.yml")):
        for model in (yaml.load(path.read_text(encoding="utf-8"), LOADER) or {}).get("models") or []:  # noqa: S506
            if not str(model["name"]).startswith("int_"):
                tables[model["name"]] = _described(model, blocks, path)
    return tables


def described_columns(project: Path) -> dict[str, str]:
    """What each column of the marts is: one that is named in two tables means the same in both.

    Raises:
        ProjectError: see `described_marts`.
    """
    tables = reversed(described_marts(project).values())
    return {column: text for table in tables for column, text in table.columns.items() if text}


def _described(model: dict[str, Any], blocks: dict[str, str], path: Path) -> TableDescription:
    def resolved(text: str | None) -> str:
        def block(match: re.Match[str]) -> str:
            if match[1] not in blocks:
                raise ProjectError(f"{path} calls doc({match[1]!r}), and no file under models has that block")
            return blocks[match[1]]

        return _one_line(DOC_CALL.sub(block, text or ""))

    columns = {column["name"]: resolved(column.get("description")) for column in model.get("columns") or []}
    sql = next(path.parent.rglob(f"{model['name']}.sql"), None)
    sources = () if sql is None else tuple(sorted(set(REF.findall(sql.read_text(encoding="utf-8")))))
    return TableDescription(model["name"], resolved(model.get("description")), columns, _key(model), sources)


def _key(model: dict[str, Any]) -> tuple[str, ...]:
    for test in _tests(model):
        if isinstance(test, dict) and "unique_combination" in test:
            arguments = test["unique_combination"]
            return tuple((arguments.get("arguments") or arguments)["columns"])
    for column in model.get("columns") or []:
        if "unique" in _tests(column):
            return (column["name"],)
    return ()


def _tests(item: dict[str, Any]) -> Iterator[Any]:
    return iter([*(item.get("data_tests") or []), *(item.get("tests") or [])])


def _one_line(text: str) -> str:
    return " ".join(text.split())
