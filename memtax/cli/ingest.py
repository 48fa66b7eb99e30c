"""`memtax ingest`: landing corpora, evaluated sequences and models."""

from __future__ import annotations

from pathlib import Path

import click

from memtax.corpus.formats import FORMATS

SOURCES = click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path())


@click.group()
def ingest() -> None:
    """Land data in the store: corpora, evaluated sequences, language models.

    \b
    Example:
      memtax ingest corpus mine tokens.bin --sequence-length 2049 --tokenizer tokenizer.json
    """


@ingest.command()
@click.argument("name")
@SOURCES
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["auto", *FORMATS]),
    default="auto",
    show_default=True,
    help="How the sources are written; auto goes by their names (Arrow files count as parquet).",
)
@click.option(
    "--dtype",
    type=click.Choice(["uint16", "uint32"]),
    help="How a .bin is read (default uint16), and the width in which other formats are stored (default: what fits).",
)
@click.option(
    "--sequence-length",
    type=click.IntRange(min=1),
    help="Tokens of a sequence, for .bin and for packing text (default 2049); other formats say it themselves.",
)
@click.option("--tokenizer", help="The corpus' tokenizer: a tokenizer.json, a folder that holds one, or a hub id.")
@click.option("--in-place", is_flag=True, help="Register bin, mmap or npy files where they lie; copy nothing.")
@click.option("--append", is_flag=True, help="Add the sources to a corpus that is there, as one more shard.")
@click.option("--text-field", default="text", show_default=True, help="The field of a JSONL document with its text.")
@click.option("--end-of-document", help="The token after each document of a text (default: <|endoftext|> or the like).")
def corpus(
    name: str,
    sources: tuple[str, ...],
    format_name: str,
    dtype: str | None,
    sequence_length: int | None,
    tokenizer: str | None,
    in_place: bool,
    append: bool,
    text_field: str,
    end_of_document: str | None,
) -> None:
    """Land a corpus NAME from SOURCE files, which are parts of one stream of sequences, in order.

    All or nothing is landed; landing the same content again changes nothing.

    \b
    Examples:
      memtax ingest corpus mine tokens.bin --sequence-length 2049 --tokenizer tokenizer.json
      memtax ingest corpus pile document-*.bin document.idx --in-place --tokenizer EleutherAI/pythia-70m
      memtax ingest corpus notes notes.jsonl --tokenizer tokenizer.json --sequence-length 512
      memtax ingest corpus mine more.bin --append
    """
    from memtax import store
    from memtax.corpus.ingest import ingest_corpus
    from memtax.corpus.progress import shown
    from memtax.corpus.source import SourceOptions

    options = SourceOptions(
        dtype=dtype, sequence_length=sequence_length, text_field=text_field, end_of_document=end_of_document
    )
    with store.writing() as connection, shown(f"landing {name}") as progress:
        landing = ingest_corpus(
            connection,
            name,
            sources,
            format_name=format_name,
            tokenizer=tokenizer,
            options=options,
            in_place=in_place,
            append=append,
            progress=progress,
        )
    shard = landing.shard
    click.echo(
        f"{name}: {landing.outcome} as shard {shard.shard_id}: {shard.n_sequences:,} sequences, "
        f"{shard.n_tokens:,} tokens ({shard.token_dtype})"
    )
    for note in landing.notes:
        click.echo(f"  {note}")


@ingest.command()
@click.argument("dataset")
@SOURCES
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


@ingest.command()
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


@ingest.command()
@click.argument("dataset")
@SOURCES
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
    from pathlib import Path

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


@ingest.command()
@click.argument("name")
@click.argument("location")
@click.option("--corpus", "corpus_name", required=True, help="The corpus that the model was trained on.")
@click.option(
    "--revision",
    "revisions",
    multiple=True,
    metavar="R[,R]...",
    help="Revisions (training steps): given several times, or as a list.",
)
@click.option(
    "--training-fraction",
    "training_fractions",
    multiple=True,
    type=click.FloatRange(0, 1),
    help="The share of training done at each revision, in the same order.",
)
@click.option("--dtype", type=click.Choice(["float32", "bfloat16"]), help="In which numbers (default: a var).")
@click.option("--device", help="Where it computes: cpu, cuda, cuda:1, ... (default: cuda where there is one).")
@click.option("--tokenizer", help="The model's tokenizer (default: the one beside its weights, if there is one).")
@click.option(
    "--replace",
    is_flag=True,
    help="Let NAME go over to another corpus or to other weights elsewhere; its scores will be computed again.",
)
def model(
    name: str,
    location: str,
    corpus_name: str,
    revisions: tuple[str, ...],
    training_fractions: tuple[float, ...],
    dtype: str | None,
    device: str | None,
    tokenizer: str | None,
    replace: bool,
) -> None:
    """Register the language model NAME at LOCATION, a folder, a GGUF file or a hub id.

    \b
    Examples:
      memtax ingest model small ./small --corpus mine
      memtax ingest model pythia-70m EleutherAI/pythia-70m --corpus pile --revision step143000 --training-fraction 1
      memtax ingest model pythia-1b EleutherAI/pythia-1b --corpus pile --revision step1000,step143000 --dtype bfloat16
    """
    from memtax import store
    from memtax.models.register import register_models

    with store.writing() as connection:
        registrations = register_models(
            connection,
            name,
            location,
            corpus_name,
            [revision for given in revisions for revision in given.split(",")],
            list(training_fractions),
            dtype=dtype,
            device=device,
            tokenizer=tokenizer,
            replace=replace,
        )
    for registration in registrations:
        click.echo(f"{registration.model}@{registration.revision}: {registration.outcome}")
