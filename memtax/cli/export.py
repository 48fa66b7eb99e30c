"""`memtax export`: tables as a folder that `datasets.load_dataset` reads, and on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--schema",
    type=click.Choice(["memtax", "paper"]),
    default="memtax",
    show_default=True,
    help="memtax: the marts, one configuration each; paper: features in the paper's 27 columns, one split per model.",
)
@click.option("--tables", help="Names of the tables, with commas between; by default all that have rows.")
@click.option("--where", metavar="SQL", help="Only rows of features that this holds of, and what belongs to them.")
@click.option(
    "--without-text",
    is_flag=True,
    help="Leave out text, tokens and the frequencies of single tokens; max, min, mean and quantiles of a window's are rounded "
    "to two significant digits (below 100 to tens).",
)
@click.option(
    "--swapped-matches",
    is_flag=True,
    help="With --schema paper: semantic matches as templates, as in the published data.",
)
@click.option(
    "--license", "license_id", default="unknown", show_default=True, help="The card's licence, as the hub names it."
)
@click.option(
    "--shard-size", type=click.IntRange(min=1), default=500, show_default=True, help="Largest file, in megabytes (10⁶)."
)
@click.option("--verify", "only_verify", is_flag=True, help="Write nothing; check FOLDER against its manifest.")
@click.option("--push", "repository", metavar="OWNER/NAME", help="Upload the folder to this dataset on the hub.")
@click.option("--public", is_flag=True, help="With --push: make a new repository public; private otherwise.")
def export(
    folder: Path,
    schema: str,
    tables: str | None,
    where: str | None,
    without_text: bool,
    swapped_matches: bool,
    license_id: str,
    shard_size: int,
    only_verify: bool,
    repository: str | None,
    public: bool,
) -> None:
    """Write tables to FOLDER as Parquet shards, with a dataset card and a manifest of checksums.

    The same store makes the same bytes. An earlier export in FOLDER is replaced; nothing else is. --push takes the token
    that `hf auth login` stored, or HF_TOKEN; run again, it completes what was cut off.

    \b
    Examples:
      memtax export published
      memtax export shareable --without-text --license odc-by
      memtax export small --tables features,dim_models --where "model = 'pythia-12b' and memorized"
      memtax export paper --schema paper --push me/semantic-filters
      memtax export published --verify
    """
    from memtax.corpus.progress import shown
    from memtax.export.folder import ExportOptions, export_folder
    from memtax.export.manifest import verify

    if only_verify:
        if repository:
            raise click.UsageError("--verify checks a folder and --push uploads one; run one after the other")
        records = verify(folder)
        click.echo(f"{folder}: {len(records)} files are as they were exported")
        return
    from memtax.session import reading_session

    options = ExportOptions(
        schema=schema,
        tables=tuple(name.strip() for name in tables.split(",") if name.strip()) if tables else (),
        where=where,
        without_text=without_text,
        swapped_matches=swapped_matches,
        license_id=license_id,
        shard_bytes=shard_size * 10**6,
    )
    with reading_session() as connection, shown(f"exporting to {folder}") as progress:
        records = export_folder(connection, folder, options, progress)
    rows = sum(record.rows or 0 for record in records)
    size = sum(record.bytes for record in records)
    click.echo(f"{folder}: {rows:,} rows in {len(records) - 1} Parquet files, {size:,} bytes")
    if repository:
        from memtax.export.push import push_folder

        click.echo(push_folder(folder, repository, private=not public))
