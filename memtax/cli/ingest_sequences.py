"""`memtax ingest sequences`: evaluated windows in files, with the scores that were published of them."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("dataset")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path())
@click.option("--corpus", "corpus_name", required=True, help="The corpus whose sequences these are.")
@click.option(
    "--score-column",
    "score_columns",
    multiple=True,
    metavar="COLUMN=MODEL[@REVISION]",
    help="A column with a model's memorization scores; may be given several times.",
)
@click.option("--id-column", help="The column with ids (found if it is sequence_id, index, Index or sequence).")
@click.option("--tokens-column", help="The column with tokens (found if it is tokens or Tokens).")
@click.option("--offset-column", help="The column with token offsets (found if named token_offset; 0 without one).")
@click.option("--mapping", type=click.Path(path_type=Path), help="A YAML file with the columns (see docs/ingest.md).")
@click.option("--tokenizer", help="The corpus' tokenizer, where the corpus has none yet.")
@click.option("--replace", is_flag=True, help="Drop another dataset of this name first.")
def sequences(
    dataset: str,
    sources: tuple[str, ...],
    corpus_name: str,
    score_columns: tuple[str, ...],
    id_column: str | None,
    tokens_column: str | None,
    offset_column: str | None,
    mapping: Path | None,
    tokenizer: str | None,
    replace: bool,
) -> None:
    """Land evaluated sequences from SOURCE (Parquet, JSONL or CSV) as the dataset DATASET, with published scores.

    Tokens must agree with the corpus where it is landed, and are read from it where the source has none. The corpus
    need not be landed if the source has tokens.

    \b
    Examples:
      memtax ingest sequences memories memorized.parquet --corpus pile --tokenizer EleutherAI/pythia-70m
      memtax ingest sequences sample sampled.parquet --corpus pile --score-column 70M=pythia-70m
    """
    from memtax import store
    from memtax.corpus.progress import shown
    from memtax.corpus.tokenizer import load_corpus_tokenizer
    from memtax.datasets.mapping import read_mapping
    from memtax.datasets.published import land_published
    from memtax.datasets.published_source import ColumnNames, ScoreColumn, relation_of_files
    from memtax.datasets.window import window_length

    scores = [ScoreColumn.parse(text) for text in score_columns]
    names, relation = ColumnNames(id_column, tokens_column, offset_column), None
    if mapping is not None:
        if scores or names != ColumnNames():
            raise click.UsageError("--mapping names the columns and scores; leave the options for them out")
        mapped = read_mapping(mapping)
        names, scores = mapped.names, list(mapped.scores)
        relation = mapped.relation(relation_of_files([Path(source) for source in sources]))
    length = window_length()
    with store.writing() as connection, shown(f"landing {dataset}") as progress:
        publication = land_published(
            connection,
            dataset,
            [Path(source) for source in sources],
            corpus_name,
            length,
            scores=scores,
            names=names,
            relation=relation,
            tokenizer=load_corpus_tokenizer(tokenizer) if tokenizer else None,
            replace=replace,
            progress=progress,
        )
    n_windows = publication.dataset.n_sequences
    if publication.landed:
        found = f"{publication.compared:,} read from or found in it"
        click.echo(f"{dataset}: landed {n_windows:,} windows of {corpus_name}, {found}")
    else:
        click.echo(f"{dataset}: already landed ({n_windows:,} windows)")
    for model, count in publication.scores:
        click.echo(f"  {count:,} scores by {model}")
    for note in publication.notes:
        click.echo(f"  {note}")
