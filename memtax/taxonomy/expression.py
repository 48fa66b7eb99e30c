"""The check of a taxonomy of one's own: is the var `taxonomy_expression` one SQL expression over the columns of `features`?"""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb

from memtax.quoting import identifier

# What the expression is tried between: an aggregate is refused, since it would make one row of many.
TRIED = "select {column}, cast((\n{expression}\n) as varchar) from features"


def expression_fault(expression: str | None, columns: str | None) -> str | None:
    """What is wrong with the var taxonomy_expression, in words; None where nothing is.

    It is tried on an empty table of the same columns in a database of its own, in memory, from which neither the store nor
    a file can be reached.

    Args:
        expression: the var.
        columns: of `features`, as JSON: a list of [name, SQL type].
    """
    if not expression or not columns:
        return None
    there: list[tuple[str, str]] = json.loads(columns)
    shown = f"the var taxonomy_expression is {expression!r}; expected one SQL expression over the columns of features"
    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        described = ", ".join(f"{identifier(name)} {kind}" for name, kind in there)
        connection.execute(f"create table features ({described})")
        tried = TRIED.format(column=identifier(there[0][0]), expression=expression)
        try:
            statements = connection.extract_statements(tried)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                return f"{shown}, and nothing before or after it"
            result = connection.execute(tried)
        except duckdb.Error as error:
            return f"{shown}: {str(error).partition(chr(10))[0]}"
        if len(result.description or ()) != 2:
            return f"{shown}, and nothing before or after it"
        changing = _changing_functions(connection, tried, {name.lower() for name, _ in there})
    if changing:
        return (
            f"{shown}, and {', '.join(changing)} gives another value at each read, so that a row would be of one part when it is "
            "fitted and of another when it is tested; for parts at random take hash(sequence_id) % 2"
        )
    return None


def _changing_functions(connection: duckdb.DuckDBPyConnection, query: str, columns: set[str]) -> list[str]:
    """The functions in a query whose value is not that of their arguments alone, as DuckDB's catalogue says of each."""
    changing = {
        name
        for (name,) in connection.execute(
            "select function_name from duckdb_functions() where stability <> 'CONSISTENT'"
        ).fetchall()
    }
    serialized = connection.execute("select json_serialize_sql(?)", [query]).fetchone()
    found = set(_called(json.loads(serialized[0]))) - columns if serialized else set()
    # `current_date` stands without brackets, and is read as a column until it is looked up.
    return sorted(name for name in found if changing & {name, f"get_{name}"})


def _called(node: object) -> Iterator[str]:
    """The names of all functions in a parsed query, and of what may be one."""
    if isinstance(node, dict):
        if isinstance(node.get("function_name"), str):
            yield node["function_name"].lower()
        yield from (name.lower() for name in node.get("column_names", ()) if name.lower().startswith("current_"))
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _called(part)
