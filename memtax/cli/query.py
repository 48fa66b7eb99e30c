"""`memtax query`: SQL over the store, with the UDFs, that cannot write."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import click
import duckdb

from memtax.errors import StoreError
from memtax.query.output import FORMATS, ROWS_SHOWN


@click.command()
@click.argument("sql", required=False)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", *FORMATS]),
    default="table",
    show_default=True,
    help=f"How the result is written; a table shows at most {ROWS_SHOWN:,} rows.",
)
@click.option("--file", "sql_file", type=click.File(encoding="utf-8"), help="Read the SQL from a file (- is stdin).")
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="The value of $NAME in the SQL: JSON, or else text; may be given several times.",
)
@click.option("--limit", type=click.IntRange(min=0), help="Rows of the result, at most.")
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Ask the tables of a folder that memtax export made, instead of the store; it is never locked.",
)
def query(
    sql: str | None,
    output_format: str,
    sql_file: IO[str] | None,
    parameters: tuple[str, ...],
    limit: int | None,
    folder: Path | None,
) -> None:
    """Run SQL over the store, with memtax's UDFs, and write the result to stdout; without SQL, open a prompt.

    It reads the store's tables and local files (read_csv, read_parquet), and never writes. While dbt writes the store
    it says which process does; --from reads what was exported before.

    \b
    Examples:
      memtax query
      memtax query "select category, count(*) from features where memorized group by category"
      memtax query "select templating('1. 2. 3. 4. 5. 6. 7.')"
      memtax query "from features limit 1000" --format parquet > features.parquet
      memtax query --file by_model.sql --param model=pythia-12b --limit 20
      memtax query --from published "select count(*) from features"
    """
    from memtax.query.output import copy, show
    from memtax.query.statement import ask, message_of, parse_parameters
    from memtax.session import exported_session, reading_session

    def opened() -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return reading_session() if folder is None else exported_session(folder)

    if sql is not None and sql_file is not None:
        raise click.UsageError("got SQL twice, as an argument and as --file; give one of them")
    if sql_file is not None:
        sql = sql_file.read()
    if sql is None and not sys.stdin.isatty():
        sql = sys.stdin.read()
        if not sql.strip():
            raise click.UsageError("no SQL came: give it as an argument, with --file, or on stdin")
    values = parse_parameters(parameters)
    if sql is None:
        from memtax.query.prompt import run_prompt

        if values or output_format != "table":
            raise click.UsageError("--param and --format need SQL; the prompt shows tables")
        run_prompt(opened, limit)
        return
    with opened() as connection:
        try:
            question = ask(connection, sql, values, limit)
            if output_format == "table":
                show(connection, question)
            else:
                copy(connection, question, output_format, sys.stdout.buffer)
        except duckdb.CatalogException as error:
            raise StoreError(
                f"the query failed: {message_of(error)}\nTables appear when dbt run has built them."
            ) from error
        except duckdb.Error as error:
            raise StoreError(f"the query failed: {message_of(error)}") from error
