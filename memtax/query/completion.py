"""What can come next in a query: tables, columns, functions and the words of SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from memtax.quoting import identifier

WORD = re.compile(r"[\w.]*$")
PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
TABLE_COMES = re.compile(r"\b(from|join|describe|summarize)\s+[\w.]*$", re.IGNORECASE)
KEYWORDS = (
    *("select", "from", "where", "group by", "group by all", "order by", "having", "limit", "inner join", "left join"),
    *("using", "on", "as", "with", "distinct", "count", "avg", "sum", "min", "max", "median", "case", "when", "then"),
    *(
        "else",
        "end",
        "and",
        "or",
        "not",
        "is null",
        "is not null",
        "between",
        "like",
        "filter",
        "describe",
        "summarize",
    ),
)


@dataclass(frozen=True)
class Vocabulary:
    """The names that a query may use.

    Attributes:
        tables: the columns of each table; those of the marts by their plain name, others as schema.table.
        functions: memtax's UDFs.
    """

    tables: dict[str, tuple[str, ...]]
    functions: tuple[str, ...]


def vocabulary_of(connection: duckdb.DuckDBPyConnection) -> Vocabulary:
    """The names in the store."""
    rows = connection.execute(
        "select case when schema_name = 'main' then table_name else schema_name || '.' || table_name end, "
        "list(column_name order by column_index) from duckdb_columns() where not internal group by all order by 1"
    ).fetchall()
    from udf.catalogue import load_all

    functions = tuple(sorted(function.name for function in load_all() if not function.volatile))
    return Vocabulary({table: tuple(columns) for table, columns in rows}, functions)


class SqlCompleter(Completer):
    """Completes names: tables after FROM and JOIN; elsewhere the columns of the query's tables come first."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary({}, ())

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What the word before the cursor may become."""
        before = document.text_before_cursor
        match = WORD.search(before)
        word = match.group() if match else ""
        if not word and not complete_event.completion_requested:
            return
        for text, kind in self._candidates(document.text, before):
            if text.lower().startswith(word.lower()):
                yield Completion(text, start_position=-len(word), display_meta=kind)

    def _candidates(self, text: str, before: str) -> Iterable[tuple[str, str]]:
        tables = self.vocabulary.tables
        if TABLE_COMES.search(before):
            yield from ((table, "table") for table in tables)
            return
        words = set(re.findall(r"[\w.]+", text.lower()))
        named = [table for table in tables if table.lower() in words]
        # Without a FROM yet, any column of the marts may be meant.
        from_tables = named or [table for table in tables if "." not in table]
        columns = dict.fromkeys(column for table in from_tables for column in tables[table])
        yield from ((_as_written(column), "column") for column in columns)
        yield from ((function + "(", "function") for function in self.vocabulary.functions)
        yield from ((keyword, "") for keyword in KEYWORDS)
        yield from ((table, "table") for table in tables)


def _as_written(name: str) -> str:
    return name if PLAIN_NAME.fullmatch(name) else identifier(name)
