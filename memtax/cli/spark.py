"""`memtax spark`: the same project on Apache Spark."""

from __future__ import annotations

import click


@click.group()
def spark() -> None:
    """Build the features on Apache Spark, on this machine or on a cluster, and bring them back.

    \b
    Example:
      memtax spark build
      memtax spark export
      dbt run --select path:models/staging int_evaluated_sequences path:models/marts/taxonomy+
      memtax query "select category, count(*) from features group by all"
    """


@spark.command(context_settings={"ignore_unknown_options": True})
@click.option("--conf", "settings", multiple=True, metavar="KEY=VALUE", help="A setting of Spark; may come again.")
@click.option("--master", metavar="URL", help="Where to run: local[*] by default, or the address of a cluster.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[DBT ARGUMENTS]...")
def build(settings: tuple[str, ...], master: str | None, arguments: tuple[str, ...]) -> None:
    """Run the feature models on Spark.

    Starts a session, registers the UDFs on it, brings the store's raw tables to it and runs dbt in the same process. What a
    build writes lies in <database>.spark, or where MEMTAX_SPARK_FOLDER says; a cluster must see that folder on every node.
    Run again after a kill, it computes what is missing. Settings come from SPARK_CONF_DIR and --conf. DBT ARGUMENTS
    are those of dbt run, after a --.

    \b
    Examples:
      memtax spark build
      memtax spark build --master spark://head:7077 --conf spark.executor.memory=8g
      memtax spark build -- --select +feat_sequence__duplicates
    """
    from memtax.spark.build import build as run
    from memtax.spark.session import parse_configuration

    chosen = parse_configuration(settings) | ({"spark.master": master} if master else {})
    folders = run(arguments, chosen, click.echo)
    click.echo(f"the tables are in {folders.warehouse}; memtax spark export brings them to the store")


@spark.command()
def export() -> None:
    """Bring the marts of the last build to the DuckDB store, all of them or none.

    Tables of the same names there are replaced. query, report, export and the taxonomy then work on them. A build that failed
    or was stopped must be finished first: run it again.

    \b
    Example:
      memtax spark export && memtax query "select count(*) from features"
    """
    from memtax.spark.export import export_marts

    for table, rows in export_marts().items():
        click.echo(f"{table}: {rows:,} rows")
