"""`memtax predict`: model files of the taxonomy, and their predictions for new rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import duckdb

KEYS = ("dataset", "corpus", "sequence_id", "token_offset", "model", "revision")


@click.command()
@click.argument("model_file", metavar="FILE", type=click.Path(dir_okay=False))
@click.argument("source", required=False, type=click.Path())
@click.option(
    "--save", metavar="MODEL[@REVISION]", help="Write the store's regressions of this model to FILE, and stop."
)
@click.option("--predictor", default="taxonomy", show_default=True, help="baseline, taxonomy, tree, searched or own.")
@click.option("--output", type=click.Path(dir_okay=False), help="Write Parquet there instead of CSV to stdout.")
def predict(model_file: str, source: str | None, save: str | None, predictor: str, output: str | None) -> None:
    """Predict which rows of SOURCE are memorized, with the regressions in FILE (JSON).

    SOURCE is a feature table in memtax's columns (Parquet, CSV or JSONL); without one, the rows of the file's model and
    revision in the store's table features are taken. A row whose features are not all known gets no probability.

    \b
    Examples:
      memtax predict taxonomy.json --save pythia-12b@step143000
      memtax predict taxonomy.json features.parquet --output predictions.parquet
    """
    from pathlib import Path

    from memtax import store
    from memtax.taxonomy.model_files import own_rows, predict_rows, read_model, write_model

    file = Path(model_file)
    if save is not None:
        name, _, revision = save.partition("@")
        with store.reading() as connection:
            store.require_table(connection, "main", "taxonomy_models", "run dbt run")
            n_fits = write_model(connection, name, revision or "main", file)
        click.echo(f"{file}: {n_fits} regressions of {name}@{revision or 'main'}")
        return
    content = read_model(file)
    if source is None:
        with store.reading() as connection:
            store.require_table(connection, "main", "features", "run dbt run, or name a SOURCE")
            own = own_rows(connection, content)
            _write(connection, predict_rows(connection, content, own, KEYS, predictor), output)
        return
    import duckdb

    from memtax.datasets.published_source import relation_of_files

    relation = f"(from {relation_of_files([Path(source)])})"
    with duckdb.connect() as connection:
        there = {name for name, *_ in connection.execute(f"describe from {relation}").fetchall()}
        keys = [name for name in KEYS if name in there]
        _write(connection, predict_rows(connection, content, relation, keys, predictor), output)


def _write(connection: duckdb.DuckDBPyConnection, table: str, output: str | None) -> None:
    """Parquet in a file, or CSV on stdout."""
    import sys
    from pathlib import Path

    import pyarrow.csv
    import pyarrow.parquet

    rows = connection.execute(f"from {table}").to_arrow_table()
    if output is None:
        pyarrow.csv.write_csv(rows, sys.stdout.buffer)
        return
    temporary = Path(f"{output}.writing")
    pyarrow.parquet.write_table(rows, temporary)
    temporary.replace(output)
    click.echo(f"{output}: {rows.num_rows:,} rows")
