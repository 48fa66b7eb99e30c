"""`memtax explain`: one sequence, its features, its category and the evidence for it."""

from __future__ import annotations

from typing import Any

import click


@click.command()
@click.argument("corpus")
@click.argument("sequence_id", type=click.IntRange(min=0))
@click.argument("token_offset", type=click.IntRange(min=0), default=0)
def explain(corpus: str, sequence_id: int, token_offset: int) -> None:
    """Show one evaluated sequence: its text, features, category, and where its continuation occurs in the corpus.

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
        explanation = explain_sequence(
            connection,
            corpus,
            sequence_id,
            token_offset,
            prompt_length=int(settings["prompt_length"]),
            continuation_length=int(settings["continuation_length"]),
            recitation_threshold=int(settings["recitation_threshold"]),
        )
    _print(explanation)


def _print(explanation: Any) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    where = f"{explanation.corpus}, sequence {explanation.sequence_id}, tokens from {explanation.token_offset}"
    console.print(f"[bold]{escape(where)}[/] · in {escape(', '.join(explanation.datasets)) or 'no dataset'}\n")
    console.print("[bold]Prompt[/]")
    console.print(Text(explanation.prompt))
    console.print("\n[bold]Continuation[/]")
    console.print(Text(explanation.continuation))
    console.print(f"\n[bold]Category[/]  {explanation.category or 'cannot be told'}: {escape(explanation.reason)}\n")

    features = Table("feature", "value", title="Features", title_justify="left")
    for name, value in explanation.features.items():
        if not isinstance(value, list):
            features.add_row(name, _plain(value))
    console.print(features)

    if explanation.by_model:
        measures = ("memorized", "greedy_match_length", "loss", "generation_perplexity", "published_memorization_score")
        models = Table("model", "revision", *measures, title="Models", title_justify="left")
        for row in explanation.by_model:
            models.add_row(row["model"], row["revision"], *(_plain(row.get(name)) for name in measures))
        console.print(models)

    evidence = explanation.evidence
    console.print(
        f"\n[bold]Evidence[/]  {evidence.occurrences:,} occurrences of the continuation in {evidence.sequences:,} sequences"
    )
    for sequence_id, offset in evidence.places:
        console.print(f"  sequence {sequence_id}, first at token {offset}")
    if evidence.sequences > len(evidence.places):
        console.print(f"  … and {evidence.sequences - len(evidence.places):,} more sequences")


def _plain(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
