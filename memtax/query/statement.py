"""SQL as somebody asks it: one statement, that only reads, with the parameters that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from memtax.errors import StoreError

# Options in parentheses are not taken: what is in them could hide where the explained statement begins.
EXPLAIN = re.compile(r"\s*explain(\s+analyze)?\s+", re.IGNORECASE)
# Table functions that a SELECT may call and that change something: settings, with which DuckDB writes files, or the store.
# The last one runs SQL that no plan shows.
CHANGING = frozenset(
    (
        *("ENABLE_LOGGING", "DISABLE_LOGGING", "TRUNCATE_DUCKDB_LOGS", "ENABLE_PROFILING", "DISABLE_PROFILING"),
        *("CHECKPOINT", "FORCE_CHECKPOINT", "JSON_EXECUTE_SERIALIZED_SQL"),
    )
)
TAIL = re.compile(r"\s*(;\s*(--[^\n]*)?\s*)*$")


PIVOT = re.compile(r"\bpivot\b", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """One statement that only reads.

    Attributes:
        sql: the statement, without what follows its semicolon.
        parameters: the values of the $names in it.
        explains: whether it is an EXPLAIN, whose result is a text.
    """

    sql: str
    parameters: dict[str, Any] = field(default_factory=dict)
    explains: bool = False


def parse_parameters(texts: Sequence[str]) -> dict[str, Any]:
    """Parameters given as NAME=VALUE; a value that is JSON (5, 0.5, true, null, [1, 2], "5") is taken as such.

    Raises:
        StoreError: one is not of that form, or comes twice.
    """
    parameters: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise StoreError(f"--param {text!r} is not NAME=VALUE; write --param n=5 for $n in the query")
        if name in parameters:
            raise StoreError(f"--param {name} is given twice")
        try:
            parameters[name] = json.loads(value)
        except ValueError:
            parameters[name] = value
    return parameters


def ask(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any], limit: int | None = None
) -> Question:
    """The statement in `sql`, held to reading alone.

    A read-only database is not enough: COPY writes files, EXPLAIN ANALYZE runs what it explains, and some table functions
    change settings by which DuckDB writes logs and profiles.

    Args:
        connection: parses the statement.
        sql: exactly one statement.
        parameters: values of the $names in it.
        limit: rows of the result, at most.

    Raises:
        StoreError: it is no SQL, several statements, one that writes, or its $names are not those of `parameters`.
        duckdb.Error: it names a table or column that is not there, or is wrong in another way that shows before it runs.
    """
    statement = _one_statement(sql, connection)
    explained = statement
    explains = statement.type == duckdb.StatementType.EXPLAIN
    if explains:
        prefix = EXPLAIN.match(statement.query)
        if prefix:
            explained = _one_statement(statement.query[prefix.end() :], connection)
    if explained.type != duckdb.StatementType.SELECT:
        raise StoreError(
            f"memtax query only reads, and this is a {explained.type.name} statement; "
            "write a SELECT, and send its result where you want it with --format"
        )
    _require_parameters(explained.named_parameters, parameters)
    _require_no_changes(connection, TAIL.sub("", explained.query), parameters)
    text = TAIL.sub("", statement.query)
    if limit is not None and not explains:
        # On lines of its own, since a statement may end with a comment; as a subquery, since it may be a DESCRIBE.
        text = f"select * from (\n{text}\n) limit {int(limit)}"  # noqa: S608 - SQL is what was asked
    return Question(text, parameters, explains)


def message_of(error: duckdb.Error) -> str:
    """What an error of DuckDB says to whoever wrote the query."""
    # Of an exception in Python, DuckDB shows where it was raised, which says nothing to them.
    message = str(error).split("\n\nAt:")[0].rstrip()
    return message.splitlines()[-1] if "Traceback (most recent call last)" in message else message


def _one_statement(sql: str, connection: duckdb.DuckDBPyConnection) -> duckdb.Statement:
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise StoreError(f"this is not SQL that DuckDB understands: {error}") from error
    if len(statements) != 1:
        # DuckDB turns a PIVOT over unknown values into two.
        hint = "; a PIVOT has to list its values, as ON category IN ('recitation', …)" if PIVOT.search(sql) else ""
        raise StoreError(f"got {len(statements)} statements; memtax query runs exactly one{hint}")
    return statements[0]


def _require_no_changes(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any]) -> None:
    """Refuse table functions that change something, wherever they hide: the plan shows what will be called."""
    ((_, plan),) = connection.execute(
        f"explain (format json) select * from (\n{sql}\n)",  # noqa: S608 - a SELECT, which is planned and not run
        parameters or None,
    ).fetchall()
    called = sorted(CHANGING & set(_operators(json.loads(plan))))
    if called:
        raise StoreError(f"memtax query only reads, and {called[0].lower()}() changes more than a result; take it out")


def _operators(plan: Any) -> Iterator[str]:
    if isinstance(plan, dict):
        yield str(plan.get("name")).strip().upper()
        yield from _operators(plan.get("children"))
    elif isinstance(plan, list):
        for node in plan:
            yield from _operators(node)


def _require_parameters(named: set[str], given: dict[str, Any]) -> None:
    missing, unknown = sorted(named - set(given)), sorted(set(given) - named)
    if missing:
        options = " ".join(f"--param {name}=VALUE" if name.isidentifier() else "" for name in missing).strip()
        raise StoreError(
            f"the query names {', '.join('$' + name for name in missing)}, and no value was given; "
            + (f"add {options}" if options else "name the parameters ($n), and add --param n=VALUE")
        )
    if unknown:
        raise StoreError(f"the query names no ${', $'.join(unknown)}; take the --param out, or use it in the query")
