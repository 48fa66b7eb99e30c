"""`memtax explain`: one sequence, its features, its category and the evidence for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from memtax.explain import Explanation


@click.command()
@click.argument("corpus")
@click.argument("sequence_id", type=click.IntRange(min=0))
@click.argument("token_offset", type=click.IntRange(min=0), default=0)
def explain(corpus: str, sequence_id: int, token_offset: int) -> None:
    """Show one evaluated sequence: its text, features, category, where its continuation occurs in the corpus, and which
    other evaluated sequences are nearest to it in meaning.

    TOKEN_OFFSET is where the window begins in the sequence, 0 if it is not given.

    \b
    Example:
      memtax explain demo 1234
    """
    from memtax.explain import explain_sequence
    from memtax.project import project_vars
    from memtax.session import reading_session

    settings = project_vars()
    with reading_session() as connection:
        explanation = explain_sequence(connection, corpus, sequence_id, token_offset, settings=settings)
    _print(explanation)


def _print(explanation: Explanation) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from memtax.plain_text import printable

    # Whatever comes from the store goes through printable() or _plain(): a corpus may hold what drives a terminal.
    console = Console(highlight=False, markup=False, emoji=False)
    where = f"{explanation.corpus}, sequence {explanation.sequence_id}, tokens from {explanation.token_offset}"
    datasets = ", ".join(explanation.datasets) or "no dataset"
    console.print(Text.assemble((printable(where), "bold"), f" · in {printable(datasets)}\n"))
    for title, text in (("Prompt", explanation.prompt), ("Continuation", explanation.continuation)):
        console.print(title, style="bold")
        console.print(Text(printable(text, keep="\n\t") + "\n"))
    category = f"  {explanation.category or 'none'}: {printable(explanation.reason)}\n"
    console.print(Text.assemble(("Category", "bold"), category))

    features = Table("feature", "value", title="Features", title_justify="left")
    for name, value in explanation.features.items():
        if not isinstance(value, list):
            features.add_row(name, _plain(value))
    console.print(features)

    if explanation.by_model:
        measures = [
            *("memorized", "memorization_score", "greedy_match_length", "loss", "generation_perplexity"),
            *("extraction_probability", "log_probability_gain", "published_memorization_score"),
        ]
        models = Table("model", "revision", *measures, title="Models", title_justify="left")
        for row in explanation.by_model:
            models.add_row(*(_plain(row.get(name)) for name in ("model", "revision", *measures)))
        console.print(models)
    _print_evidence(explanation)
    if explanation.neighbours:
        from memtax.cli.similar import print_neighbours

        console.print(Text("\nNearest in meaning", "bold"))
        print_neighbours(explanation.neighbours)
    elif explanation.features.get("semantic_matches_0_8") is not None and explanation.neighbours is None:
        console.print(Text("\nNearest in meaning: not indexed; memtax similar TEXT makes the index, once"))


def _print_evidence(explanation: Explanation) -> None:
    from memtax.cli.evidence import evidence_console, print_places, times
    from memtax.plain_text import printable

    console, found = evidence_console(), explanation.evidence
    click.echo()
    console.print("Evidence", style="bold", end="")
    if found is None:
        console.print("  none: this corpus holds no tokens that the continuation could be looked for in")
        return
    console.print(
        f"  {times(found.occurrences, 'occurrence')} of the continuation in {times(found.sequences, 'sequence')}"
    )
    prompt, window = (explanation.features.get(f"{span}_duplicates") for span in ("prompt", "window"))
    if prompt is not None and window is not None:
        # A document that is repeated repeats both; a phrase that is repeated only the one.
        console.print(
            f"  its prompt occurs {times(prompt, 'time')}, prompt and continuation together {times(window, 'time')}"
        )
    print_places(explanation.places, found.sequences)
    if explanation.unreadable is not None:
        console.print(f"  the text there cannot be shown: {printable(explanation.unreadable)}")


def _plain(value: object) -> str:
    from memtax.plain_text import printable

    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else printable(str(value))
