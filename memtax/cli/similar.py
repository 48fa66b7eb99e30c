"""`memtax similar`: the evaluated sequences that mean nearly the same as a text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from memtax.neighbours.search import Neighbour


@click.command()
@click.argument("text")
@click.option("--dataset", help="Only sequences of this dataset.")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="How many to show.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Of stdout.",
)
def similar(text: str, dataset: str | None, limit: int, output_format: str) -> None:
    """Show the evaluated sequences whose meaning is nearest to TEXT, with the cosine of the embeddings.

    The var embed_with says what embeds TEXT. The first call, and the first after dbt run has computed new embeddings,
    makes an index of them beside the database. The index may miss a near sequence now and then; the cosines
    are of the stored vectors. The match counts of feat_sequence__similarity are exact, and do not use it.

    \b
    Examples:
      memtax similar "Permission is hereby granted, free of charge, to any person"
      memtax similar "In the beginning" --dataset demo_sample --limit 3 --format json
    """
    from memtax.corpus.progress import shown
    from memtax.errors import ProjectError
    from memtax.neighbours.search import embed_as_stored, nearest_to_vector, require_dataset
    from memtax.project import project_vars
    from memtax.session import reading_session

    if not text.strip():
        raise click.UsageError("TEXT is empty, and every sequence would be as near to it; give some words")
    model = str(project_vars().get("embed_with") or "")
    if not model:
        raise ProjectError(
            "the var embed_with in dbt_project.yml is empty; name the model that the store is embedded with"
        )
    with reading_session() as connection:
        if dataset is not None:
            require_dataset(connection, dataset)
        vector = embed_as_stored(connection, text, model)
        with shown("indexing embeddings") as progress:
            found = nearest_to_vector(connection, vector, limit, dataset=dataset, progress=progress)
    if output_format == "json":
        from dataclasses import asdict

        click.echo(json.dumps([asdict(neighbour) for neighbour in found], indent=1))
    else:
        print_neighbours(found)


def print_neighbours(found: list[Neighbour]) -> None:
    """Print sequences as a table: cosine, keys, and the text with a mark between prompt and continuation."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from memtax.plain_text import printable

    # Whatever comes from the store goes through printable(): a corpus may hold what drives a terminal.
    table = Table("cosine", "corpus", "sequence", "offset", "prompt │ continuation")
    for one in found:
        text = Text.assemble(printable(one.prompt), (" │ ", "dim"), printable(one.continuation))
        keys = (printable(one.corpus), str(one.sequence_id), str(one.token_offset))
        table.add_row(f"{one.cosine:.3f}", *keys, text)
    Console(highlight=False, markup=False, emoji=False).print(table)
