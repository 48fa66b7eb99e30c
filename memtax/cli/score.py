"""`memtax score`: run the language models, all at once or in shards."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--shard", metavar="I/N", help="Score only the I-th of N shards of the windows.")
@click.option(
    "--into",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A database of the shard's own (default: the store).",
)
@click.option("--prepare", is_flag=True, help="Only write what there is to score to --into, to be carried elsewhere.")
@click.option(
    "--vars", "variables", metavar="YAML", help="Vars for dbt; give the same to every shard, memtax merge and dbt run."
)
def score(shard: str | None, into: Path | None, prepare: bool, variables: str | None) -> None:
    """Score what is not scored yet with every registered model; a part of what dbt run does.

    A database has one writer, so processes that score at the same time each have a file of their own (--into), which
    memtax merge brings together. The file holds the windows and the models' places, not the corpus: it can be carried to
    another machine that has the same models, where this command goes on with it. Run again after a kill, it computes what is
    missing.

    \b
    Examples:
      memtax score --shard 1/2 --into part1.duckdb &
      memtax score --shard 2/2 --into part2.duckdb
      memtax merge part1.duckdb part2.duckdb && dbt run
    """
    from memtax import scores
    from memtax.project import database_path

    if shard is not None:
        scores.check_shard(shard)
    if prepare and into is None:
        raise click.UsageError("--prepare needs --into FILE")
    if into is not None and (database_path().is_file() or not into.is_file()):
        windows = scores.prepare_shard(into)
        click.echo(f"{into}: {windows:,} windows")
    if not prepare:
        scores.score(shard, into or database_path(), variables)
