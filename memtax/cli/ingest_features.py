"""`memtax ingest features`: ready feature tables, to train on."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("dataset")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path())
@click.option("--model", "model_name", required=True, metavar="MODEL[@REVISION]", help="Whose scores these are.")
@click.option(
    "--schema",
    "schema_name",
    type=click.Choice(["memtax", "paper"]),
    default="memtax",
    show_default=True,
    help="How the columns are named: as in the table features, or as in the paper's 27.",
)
@click.option(
    "--corpus", "corpus_name", help="Whose sequences these are (default: the registered model's, or published)."
)
@click.option("--replace", is_flag=True, help="Drop the features of this dataset and model first.")
def features(
    dataset: str,
    sources: tuple[str, ...],
    model_name: str,
    schema_name: str,
    corpus_name: str | None,
    replace: bool,
) -> None:
    """Land ready feature tables from SOURCE (Parquet, JSONL or CSV) as the dataset DATASET, to train the taxonomy on.

    They join the table features beside what is computed. A repeated sequence_id keeps its first row.

    \b
    Examples:
      memtax ingest features pile pile_deduped_12b.parquet --model pythia-12b --schema paper
      memtax ingest features memories memories_deduped_12b.parquet --model pythia-12b@step143000 --schema paper
    """
    from memtax import store
    from memtax.datasets.feature_schemas import SCHEMAS
    from memtax.datasets.feature_tables import land_features
    from memtax.datasets.window import prompt_length

    name, _, revision = model_name.partition("@")
    if not name or model_name.endswith("@"):
        raise click.UsageError(f"--model {model_name!r} is not MODEL or MODEL@REVISION")
    with store.writing() as connection:
        landing = land_features(
            connection,
            dataset,
            [Path(source) for source in sources],
            name,
            revision or "main",
            SCHEMAS[schema_name],
            prompt_length=prompt_length(),
            corpus=corpus_name,
            replace=replace,
        )
    outcome = "landed" if landing.landed else "already landed"
    click.echo(
        f"{dataset}: {outcome} {landing.n_rows:,} rows of {landing.corpus} by {name}@{revision or 'main'}, "
        f"{landing.n_memorized:,} memorized; {landing.n_repeated:,} rows of repeated sequences dropped"
    )
    for note in landing.notes:
        click.echo(f"  {note}")
