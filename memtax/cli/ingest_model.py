"""`memtax ingest model`: language models, registered where they lie."""

from __future__ import annotations

import click


@click.command()
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
@click.option(
    "--tokenizer", help="The model's tokenizer (default: the one beside its weights, else that of its corpus)."
)
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
