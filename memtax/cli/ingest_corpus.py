"""`memtax ingest corpus`: token data, landed or registered where it lies."""

from __future__ import annotations

import click

from memtax.corpus.formats import FORMATS


@click.command()
@click.argument("name")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path())
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
