"""`memtax merge`: scores of other databases into the store."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("databases", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--vars",
    "variables",
    metavar="YAML",
    help="The vars that the scores were made with; the next dbt run needs them, too.",
)
def merge(databases: tuple[Path, ...], variables: str | None) -> None:
    """Take over the scores of FILEs that memtax score wrote.

    Only rows that the store would compute itself are taken: of its windows, by the same weights, under the same vars. Merging
    a file again changes nothing.

    \b
    Example:
      memtax merge part1.duckdb part2.duckdb
    """
    from memtax.scores import merge_scores

    merge_scores(databases, variables)
