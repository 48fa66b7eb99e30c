"""What an export holds of the store: which tables, which of their columns, and which rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from memtax.errors import StoreError
from memtax.export.descriptions import TableDescription
from memtax.export.without_text import ROUNDED_COLUMNS, TEXT_COLUMNS, TOKEN_TABLES, description, rounded
from memtax.query.statement import ask, message_of
from memtax.quoting import identifier

KEYS = ("dataset", "corpus", "sequence_id", "token_offset", "model", "revision")
CHOSEN = "exported_rows"


@dataclass(frozen=True)
class ExportTable:
    """One table (or one split of one) as it will be written.

    Attributes:
        config: the configuration under which `datasets` finds it.
        split: the split of the configuration.
        query: SELECT of its columns, in order.
        order: columns that rows are sorted by: unique together, so that the order is one.
        description: what it is.
        columns: what each column is.
        sources: the models of the project that it is made from.
    """

    config: str
    split: str
    query: str
    order: tuple[str, ...]
    description: str
    columns: dict[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()


def choose_rows(connection: duckdb.DuckDBPyConnection, where: str | None) -> None:
    """Keep the keys of the rows of `features` that `where` holds of; without it, every table is whole.

    Raises:
        StoreError: it is no condition on the columns of `features`.
    """
    connection.execute(f"drop table if exists temp.{CHOSEN}")
    if where is None:
        return
    select = f"select {', '.join(KEYS)} from main.features where (\n{where}\n)"  # noqa: S608 - held to reading below
    try:
        question = ask(connection, select, {})
        connection.execute(f"create temp table {CHOSEN} as select distinct * from (\n{question.sql}\n)")  # noqa: S608
    except (duckdb.Error, StoreError) as error:
        said = message_of(error) if isinstance(error, duckdb.Error) else str(error)
        raise StoreError(f"--where is no condition on the columns of features: {where}\n{said}") from error


def memtax_tables(
    connection: duckdb.DuckDBPyConnection,
    described: dict[str, TableDescription],
    names: Sequence[str],
    *,
    without_text: bool,
) -> list[ExportTable]:
    """The marts to write, in memtax's own columns.

    Args:
        connection: of a store, after `choose_rows`.
        described: the marts by name.
        names: the ones that are wanted; none for all that have rows.
        without_text: leave out columns and tables that hold text or tokens, and blur what tells single tokens.

    Raises:
        StoreError: a table is unknown, not built or left out by `without_text`, or there is nothing to export.
    """
    built = columns_of(connection)
    unknown = [name for name in names if name not in described]
    if unknown:
        raise StoreError(f"--tables names {', '.join(unknown)}; the store has {', '.join(described)}")
    missing = [name for name in names if name not in built]
    if missing:
        raise StoreError(f"{', '.join(missing)} is not built yet; run dbt run first")
    left_out = TOKEN_TABLES if without_text else frozenset()
    refused = [name for name in names if name in left_out]
    if refused:
        raise StoreError(f"--without-text leaves token ids out, and {', '.join(refused)} has a row for each; drop one")
    wanted = list(names) or [name for name in described if name in built and name not in left_out]
    if not wanted:
        raise StoreError("the store has no tables to export yet; run dbt run first")
    tables = []
    for name in wanted:
        columns = {c: kind for c, kind in built[name].items() if not (without_text and c in TEXT_COLUMNS)}
        blurred = ROUNDED_COLUMNS if without_text else frozenset()
        listed = ", ".join(
            f"{rounded(_value(c), kind)} as {identifier(c)}" if c in blurred else _value(c)
            for c, kind in columns.items()
        )
        query = f"select {listed} from main.{identifier(name)}{limited(connection, columns)}"  # noqa: S608
        if not names and connection.execute(f"from ({query}) limit 1").fetchone() is None:
            continue  # datasets cannot load a split without rows, and most stores have tables that no var asked for
        order = described[name].key or tuple(columns)
        texts = {column: described[name].columns.get(column, "") for column in columns}
        if without_text:
            texts = {column: description(column, text) for column, text in texts.items()}
        about = described[name]
        tables.append(ExportTable(name, "train", query, order, about.description, texts, about.sources))
    if not tables:
        raise StoreError("no table has rows to export; change --where, or land sequences and run dbt run")
    return tables


def columns_of(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The tables of schema main, with the columns of each and their types."""
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'main' and not internal "
        "order by table_name, column_index"
    ).fetchall():
        tables.setdefault(table, {})[column] = kind
    return tables


def _value(column: str) -> str:
    if column == "tokenizer":
        # Where the tokenizer lies on this machine is nobody's business; a hub id is.
        return "case when tokenizer like '/%' then parse_filename(tokenizer) else tokenizer end as tokenizer"
    return identifier(column)


def limited(connection: duckdb.DuckDBPyConnection, columns: dict[str, str]) -> str:
    """What follows a FROM of a table with these columns, to keep the chosen rows alone."""
    chosen = connection.execute("select 1 from duckdb_tables() where table_name = ?", [CHOSEN]).fetchone()
    shared = [key for key in KEYS if key in columns]
    if chosen is None or not shared:
        return ""
    keys = ", ".join(shared)
    return f" semi join (select distinct {keys} from {CHOSEN}) as chosen using ({keys})"  # noqa: S608
