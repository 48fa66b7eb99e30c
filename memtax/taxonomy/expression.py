"""The check of a taxonomy of one's own: is the var `taxonomy_expression` one SQL expression over the columns of `features`?"""

from __future__ import annotations

import json

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
    return None
