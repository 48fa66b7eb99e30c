"""The report's questions to the store: the files of `sql/`, asked as they stand there and as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import duckdb

from memtax.errors import StoreError
from memtax.plain_text import printable
from memtax.quoting import identifier, literals

# Enough to tell two numbers of a figure apart, and few enough that sums which threads add up in another order agree.
SIGNIFICANT_DIGITS = 10
# The small marts that between them name every model and checkpoint of which there is something to show.
RUN_MARTS = ("memorization_by_category", "taxonomy_models", "memorization_distributions")


@dataclass(frozen=True)
class Answer:
    """What a question gave.

    Attributes:
        sql: as it was asked.
        columns: their names.
        rows: their values: text, whole numbers, floats of ten significant digits, booleans or None.
    """

    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def dicts(self) -> list[dict[str, Any]]:
        """The rows, by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def column(self, name: str) -> list[Any]:
        """One column's values."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def shown(self) -> Answer:
        """The same with texts as they may be shown: a name with a control in it can turn round the numbers beside it."""
        rows = tuple(tuple(safe(value) if isinstance(value, str) else value for value in row) for row in self.rows)
        return replace(self, rows=rows)

    def by_choice(self, columns: Sequence[str]) -> dict[tuple[Any, ...], Answer]:
        """The rows of each combination of values in some columns."""
        places = [self.columns.index(name) for name in columns]
        parts: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        for row in self.rows:
            parts.setdefault(tuple(row[place] for place in places), []).append(row)
        return {values: replace(self, rows=tuple(rows)) for values, rows in parts.items()}


class Tables:
    """A store's marts, read through the files of `sql/`.

    Args:
        connection: the store, open for reading.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        found = connection.execute(
            "select table_schema, table_name from information_schema.tables order by table_name"
        ).fetchall()
        self.names = tuple(name for schema, name in found if schema == "main")
        self._known = {*self.names, *(f"{schema}.{name}" for schema, name in found)}

    def missing(self, needed: Sequence[str]) -> list[str]:
        """Those of `needed` that the store lacks: marts by their names, others as `SCHEMA.NAME`."""
        return [name for name in needed if name not in self._known]

    def runs(self) -> list[dict[str, Any]]:
        """The models and checkpoints that any figure is of, as `sql/runs.sql` gives them.

        Raises:
            StoreError: the tables are not as this version of memtax makes them.
        """
        there = [name for name in RUN_MARTS if name in self.names]
        if not there or "dim_models" not in self.names:
            return []
        known = "\n        union\n        ".join(f"select (model, revision) from {name}" for name in there)  # noqa: S608
        return self._ask("runs", question_sql("runs").replace("$known", known)).dicts()

    def ask(self, question: str, runs: Sequence[str] = ()) -> Answer:
        """The answer to `sql/<question>.sql`.

        Args:
            question: the file's name without its ending.
            runs: what `$runs` stands for there: models and checkpoints as `MODEL@REVISION`.

        Raises:
            StoreError: the tables are not as this version of memtax makes them.
        """
        return self._ask(question, question_sql(question, runs))

    def _ask(self, question: str, sql: str) -> Answer:
        try:
            return self.ask_sql(sql)
        except duckdb.Error as error:
            raise StoreError(
                f"the store's tables do not answer the report's question {question!r} ({str(error).splitlines()[0]}); they may "
                "be of another version of memtax: run dbt run, then this again"
            ) from error

    def ask_sql(self, sql: str) -> Answer:
        """The answer to any SQL."""
        found = self._connection.execute(sql)
        columns = tuple(column[0] for column in found.description)
        return Answer(sql, columns, tuple(tuple(map(_shortened, row)) for row in found.fetchall()))

    def row_counts(self) -> Mapping[str, int]:
        """Rows of every mart."""
        counts = {}
        for name in self.names:
            found = self._connection.execute(f"select count(*) from main.{identifier(name)}").fetchone()  # noqa: S608
            counts[name] = found[0] if found else 0
        return counts


def question_sql(question: str, runs: Sequence[str] = ()) -> str:
    """The text of `sql/<question>.sql`, with `$runs` filled in: SQL that runs as it is."""
    text = files("memtax.report").joinpath("sql", f"{question}.sql").read_text(encoding="utf-8").strip()
    return text.replace("$runs", literals(runs) or "null")


def safe(text: str) -> str:
    """A text with what could reorder or hide others escaped. Few texts have any, and the same names come often."""
    return text if text.isprintable() else printable(text)


def _shortened(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    # JSON has no infinities, and a figure no place for them.
    short = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return short if abs(short) != float("inf") and short == short else None
