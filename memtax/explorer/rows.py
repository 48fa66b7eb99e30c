"""One page of a selection: its rows with their text, and how many there are in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from memtax.explorer import statements
from memtax.explorer.catalogue import Catalogue
from memtax.explorer.paging import place_of, written
from memtax.explorer.selection import Selection, row_conditions, text_condition
from memtax.explorer.sql import Sql


@dataclass(frozen=True)
class Row:
    """One row of `features`, with its text where there is one."""

    values: dict[str, Any]
    text: str | None = None
    prompt: str | None = None
    continuation: str | None = None


@dataclass(frozen=True)
class Page:
    """What is shown of a selection.

    Attributes:
        rows: in the selection's order.
        total: rows of the whole selection.
        next, previous: the places of the neighbouring pages (`after`, `before`); None where there is none.
    """

    rows: Sequence[Row]
    total: int
    next: str | None = None
    previous: str | None = None


def read_page(connection: duckdb.DuckDBPyConnection, selection: Selection, catalogue: Catalogue) -> Page:
    """Read one page.

    Raises:
        SelectionError: the selection does not fit the tables.
    """
    conditions = row_conditions(selection, catalogue)
    matches = text_condition(selection, catalogue)
    order = selection.order
    start = selection.before or selection.after
    place = None if start is None else place_of(start, order, catalogue.columns)
    if matches is not None:
        _run(connection, statements.keep_matches(conditions, matches))
        conditions = [statements.in_kept_matches()]
    columns = list(dict.fromkeys([*statements.KEYS, *selection.columns(catalogue), *order.columns]))
    here = conditions if place is None else [*conditions, order.beyond(place)]
    # One more than is shown tells whether there is a page beyond.
    wanted = selection.size + 1
    edge = _run(connection, statements.edge(order.columns[0], here, order.leading, wanted)).fetchone()
    bound = None if edge is None else order.up_to(edge[0])
    here = here if bound is None else [*here, bound]
    found = _run(connection, statements.page(columns, here, order.sql, wanted)).fetchall()
    rows = [dict(zip(columns, values, strict=True)) for values in found[: selection.size]]
    more = len(found) > selection.size
    if order.backwards:
        rows.reverse()
    ends = [written([row[name] for name in order.columns]) for row in (rows[0], rows[-1])] if rows else ["", ""]
    behind = place is not None and bool(rows)
    return Page(
        _with_text(connection, rows, catalogue),
        _total(connection, selection, catalogue, conditions),
        next=ends[1] if (behind if order.backwards else more) else None,
        previous=ends[0] if (more if order.backwards else behind) else None,
    )


def _total(
    connection: duckdb.DuckDBPyConnection, selection: Selection, catalogue: Catalogue, conditions: Sequence[Sql]
) -> int:
    if selection.only_facets:
        model = None if selection.model is None else catalogue.model_labelled(selection.model)
        return catalogue.count(selection.dataset, model, selection.category, selection.memorized)
    counting = statements.count_kept_matches() if selection.text else statements.count(conditions)
    counted = _run(connection, counting).fetchone()
    return counted[0] if counted else 0


def _with_text(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]], catalogue: Catalogue
) -> list[Row]:
    keys = [(row["corpus"], row["sequence_id"], row["token_offset"]) for row in rows]
    if not keys or not catalogue.has_text:
        return [Row(row) for row in rows]
    found = _run(connection, statements.texts(list(dict.fromkeys(keys)))).fetchall()
    texts = {(corpus, sequence_id, offset): text for corpus, sequence_id, offset, *text in found}
    return [Row(row, *texts.get(key, ())) for key, row in zip(keys, rows, strict=True)]


def _run(connection: duckdb.DuckDBPyConnection, statement: Sql) -> duckdb.DuckDBPyConnection:
    return connection.execute(statement.text, statement.parameters)
