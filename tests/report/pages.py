"""Pages made of a store, taken apart."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import duckdb

from memtax import store
from memtax.report import ReportOptions, write_report

HOSTILE = "</script><img src=x onerror=\"document.title='run'\"><!--"


class Parts(HTMLParser):
    """A page's figures, sections and text, as a browser would have them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.html = text
        self.sections: list[str] = []
        self.payloads: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self.sql: dict[str, str] = {}
        self.words: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._figure = self._section = self._script = ""
        self._code = False
        self.feed(text)
        for payload in self.payloads.values():
            payload |= self._answers[payload["question"]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "section":
            self._section = given["id"] or ""
            self.sections.append(self._section)
        if tag == "figure":
            self._figure = (given["id"] or "").removeprefix("figure-")
        if tag == "script":
            self._script = "payload" if "data-payload" in given else given.get("data-answer") or "other"
        self._code = tag == "code" or (self._code and tag != "pre")

    def handle_endtag(self, tag: str) -> None:
        if tag == "figure":
            self._figure = ""
        if tag == "script":
            self._script = ""
        if tag == "code":
            self._code = False

    def handle_data(self, data: str) -> None:
        if self._script == "payload":
            self.payloads[self._figure] = json.loads(data)
        elif self._script not in ("", "other"):
            self._answers[self._script] = json.loads(data)
        elif not self._script:
            if self._code and self._figure and data.startswith("--"):
                self.sql[self._figure] = data
            place = self._figure or self._section
            self.words[place] = self.words.get(place, "") + data

    def rows(self, figure: str) -> list[dict[str, Any]]:
        """A figure's rows, by column."""
        payload = self.payloads[figure]
        return [dict(zip(payload["columns"], row, strict=True)) for row in payload["rows"]]


@dataclass(frozen=True)
class Report:
    """A store and the page that was made of it."""

    database: Path
    path: Path
    parts: Parts = field(repr=False)

    def fetch(self, sql: str, *parameters: object) -> list[tuple]:
        with store.reading(self.database) as connection:
            return connection.execute(sql, list(parameters)).fetchall()


def make_page(database: Path, folder: Path, **options: Any) -> Report:
    """The page of a store, as folder/report.html."""
    path = folder / "report.html"
    with store.reading(database) as connection:
        size = write_report(connection, path, ReportOptions(**options))
    assert path.stat().st_size == size
    return Report(database, path, Parts(path.read_text(encoding="utf-8")))


def changed_copy(database: Path, folder: Path, *statements: str) -> Path:
    """A copy of a store after some statements."""
    path = folder / "changed.duckdb"
    shutil.copy(database, path)
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


LAYERS, HEADS = 3, 2


def with_attention(database: Path, folder: Path) -> Path:
    """A copy of a store whose attention of LAYERS × HEADS is known: less spread out from layer to layer, and where memorized."""
    measures = ", ".join(
        f"[[{first} {sign} 0.1 * layer * (1 + cast(memorized as integer)) + (sequence_id % 5) / 100 + head / 50 "
        f"for head in range({HEADS})] for layer in range({LAYERS})] as {name}_heads"
        for name, first, sign in (("entropy", 0.8, "-"), ("gini", 0.2, "+"))
    )
    return changed_copy(
        database,
        folder,
        "insert into feat_sequence_model__attention by name select corpus, sequence_id, token_offset, model, revision, "
        f"{measures} from fct_memorization where memorized is not null",
    )


def with_hostile_names(database: Path, folder: Path) -> Path:
    """A copy of a store whose datasets, corpora, models and features have HOSTILE in front of their names."""
    with store.reading(database) as connection:
        columns = connection.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'main' and data_type = 'VARCHAR' and "
            "column_name in ('dataset', 'corpus', 'model', 'first_feature', 'second_feature', 'feature')"
        ).fetchall()
    quoted = HOSTILE.replace("'", "''")
    return changed_copy(
        database, folder, *(f"update {table} set {column} = '{quoted}' || {column}" for table, column in columns)
    )
