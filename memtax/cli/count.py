"""`memtax count`: how often a text occurs in a corpus, and where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    import duckdb

    from memtax.corpus.context import Place
    from memtax.corpus.occurrences import Occurrences
    from memtax.corpus.shards import Corpus
    from memtax.counting import Asked


@click.command()
@click.argument("text", required=False)
@click.option("--corpus", required=True, help="The corpus to search.")
@click.option("--tokens", help='Token ids instead of a text, like "12,7,4051".')
@click.option(
    "--file",
    "lines",
    type=click.File(encoding="utf-8"),
    help="Many at once: one text, or one JSON list of token ids, a line (- reads stdin).",
)
@click.option(
    "--limit", type=click.IntRange(min=0), default=10, show_default=True, help="Sequences to show of each that hold it."
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="Of stdout.",
)
def count(
    corpus: str, text: str | None, tokens: str | None, lines: TextIO | None, limit: int, output_format: str
) -> None:
    """Count every exact occurrence of TEXT in a corpus, and show where it stands.

    TEXT is found as the tokens that it becomes: the corpus' tokenizer encodes it, and a run of 8 to 128 tokens is looked
    for at every offset. So a token boundary matters: text that was tokenized otherwise where it stands, say because
    it begins within a word or after a space that TEXT lacks, is not found. Begin and end at whole words, and ask
    with the space before the first one, too.

    \b
    Examples:
      memtax count --corpus demo "furnished to do so, subject to the following conditions:"
      memtax count --corpus demo --tokens "12,7,4051,9,9,13,2,88"
      memtax count --corpus demo --file questions.txt --limit 0 --format json
    """
    from memtax.corpus.occurrences import count_occurrences
    from memtax.corpus.progress import shown
    from memtax.corpus.shards import require_corpus
    from memtax.counting import parse_lines, parse_token_ids, tokenize
    from memtax.store import reading

    if sum(given is not None for given in (text, tokens, lines)) != 1:
        raise click.UsageError("give one of TEXT, --tokens and --file")
    questions: list[str | list[int]]
    if lines is not None:
        questions = parse_lines(_decoded(lines))
    else:
        questions = [text] if text is not None else [parse_token_ids(tokens or "")]
    with reading() as connection:
        registered = require_corpus(connection, corpus)
        asked = tokenize(registered, questions)
        with shown(f"counting in {corpus}") as progress:
            found = count_occurrences(connection, corpus, [one.tokens for one in asked], limit, progress)
        places = _places(connection, registered, asked, found)
        if output_format == "json":
            _print_json(asked, found, places)
        else:
            _print_table(asked, found, places)


def _decoded(lines: TextIO) -> list[str]:
    from memtax.errors import SourceError

    try:
        return list(lines)
    except UnicodeDecodeError as error:
        raise SourceError(f"{lines.name} is not UTF-8 text: {error}") from error


def _places(
    connection: duckdb.DuckDBPyConnection, corpus: Corpus, asked: list[Asked], found: list[Occurrences]
) -> Iterator[Place]:
    from memtax.corpus.context import places_in_context

    places = [place for one in found for place in one.places]
    lengths = [len(question.tokens) for question, one in zip(asked, found, strict=True) for _ in one.places]
    return places_in_context(connection, corpus, places, lengths)


def _print_json(asked: list[Asked], found: list[Occurrences], places: Iterator[Place]) -> None:
    from dataclasses import asdict

    for number, (question, one) in enumerate(zip(asked, found, strict=True)):
        row = {
            "text": question.text,
            "tokens": question.tokens,
            "occurrences": one.occurrences,
            "sequences": one.sequences,
            "places": [asdict(next(places)) for _ in one.places],
        }
        click.echo(("[" if number == 0 else " ") + json.dumps(row) + ("]" if number == len(asked) - 1 else ","))


def _print_table(asked: list[Asked], found: list[Occurrences], places: Iterator[Place]) -> None:
    from memtax.cli.evidence import print_counts, print_places

    for number, (question, one) in enumerate(zip(asked, found, strict=True)):
        if number:
            click.echo()
        what = question.text if question.text is not None else " ".join(map(str, question.tokens))
        print_counts(what, len(question.tokens), one)
        print_places([next(places) for _ in one.places], one.sequences)
