"""`memtax ingest hub`: what is published of Pythia's memorization."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("repository")
@click.option(
    "--split", "splits", multiple=True, help="A split of it; several may be given (with --from: default all)."
)
@click.option("--from", "folder", type=click.Path(path_type=Path), help="The folder with its files, fetched before.")
@click.option("--revision", "hub_revision", help="A branch or commit of the hub.")
@click.option("--name", "dataset", help="The dataset that it becomes (default: by the split, as memories_deduped_12b).")
@click.option("--corpus", "corpus_name", help="The corpus that it is of (default pile-duped or pile-deduped).")
@click.option("--tokenizer", help="The corpus' tokenizer, where the corpus has none yet.")
@click.option("--replace", is_flag=True, help="Land it in the place of what is there and differs.")
def hub(
    repository: str,
    splits: tuple[str, ...],
    folder: Path | None,
    hub_revision: str | None,
    dataset: str | None,
    corpus_name: str | None,
    tokenizer: str | None,
    replace: bool,
) -> None:
    """Land what is published of Pythia's memorization: the dataset REPOSITORY of the Hugging Face hub.

    Files are held to their schema; padded rows, perplexities of -1, swapped columns and losses of batches are reported.
    A cut download goes on; a split is landed whole or not at all, and once.

    \b
    Examples:
      memtax ingest hub EleutherAI/pythia-memorized-evals --split deduped.12b --tokenizer EleutherAI/pythia-12b
      memtax ingest hub EleutherAI/pile-deduped-pythia-random-sampled --split train
      memtax ingest hub usvsnsp/generation-semantic-filters --split pile_deduped_12b --split memories_deduped_12b
      memtax ingest hub usvsnsp/generation-num-duplicates --from ./generation-num-duplicates
    """
    from memtax import store
    from memtax.corpus.progress import shown
    from memtax.corpus.tokenizer import load_corpus_tokenizer
    from memtax.datasets.hub.files import download, splits_in
    from memtax.datasets.hub.land import land_split
    from memtax.datasets.hub.schemas import find_split
    from memtax.errors import SourceError

    found = {} if folder is None else splits_in(folder, repository, splits)
    if dataset is not None and len(splits or found) > 1:
        raise click.UsageError("--name is of one dataset; name one --split")
    if folder is None and not splits:
        find_split(repository, "", hub_revision)
    for name in splits or sorted(found):
        split = find_split(repository, name, hub_revision)
        if folder is None:
            found = splits_in(download(repository, name, hub_revision), repository, [name])
        if name not in found:
            raise SourceError(f"{folder or repository} holds no split {name}; it holds {', '.join(sorted(found))}")
        with store.writing() as connection, shown(f"landing {name}") as progress:
            landing = land_split(
                connection,
                split,
                found[name],
                dataset=dataset,
                corpus=corpus_name,
                tokenizer=load_corpus_tokenizer(tokenizer) if tokenizer else None,
                replace=replace,
                progress=progress,
            )
        done = "landed" if landing.landed else "already landed"
        click.echo(f"{repository} {name}: {done} {landing.n_rows:,} rows, {landing.what}")
        for note in landing.notes:
            click.echo(f"  {note}")
