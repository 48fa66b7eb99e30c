"""`memtax ingest model`: language models, registered where they lie."""

from __future__ import annotations

import click
from click.core import ParameterSource


@click.command()
@click.argument("name")
@click.argument("location", required=False)
@click.option("--corpus", "corpus_name", help="The corpus that the model was trained on.")
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
@click.option(
    "--remove",
    is_flag=True,
    help="Take NAME out, or its --revision alone; the next dbt run drops its scores. Files stay where they are.",
)
@click.pass_context
def model(
    context: click.Context,
    name: str,
    location: str | None,
    corpus_name: str | None,
    revisions: tuple[str, ...],
    training_fractions: tuple[float, ...],
    dtype: str | None,
    device: str | None,
    tokenizer: str | None,
    replace: bool,
    remove: bool,
) -> None:
    """Register the language model NAME at LOCATION, a folder, a GGUF file or a hub id.

    Registered again, it keeps the options that are not given; --remove and registering it anew clears them.

    \b
    Examples:
      memtax ingest model small ./small --corpus mine
      memtax ingest model pythia-70m EleutherAI/pythia-70m --corpus pile --revision step143000 --training-fraction 1
      memtax ingest model pythia-1b EleutherAI/pythia-1b --corpus pile --revision step1000,step143000 --dtype bfloat16
      memtax ingest model pythia-1b --remove --revision step1000
    """
    from memtax import store
    from memtax.models.register import register_models

    names = [revision for given in revisions for revision in given.split(",")]
    if remove:
        _remove(context, name, names)
        return
    if location is None or corpus_name is None:
        raise click.UsageError("expected LOCATION and --corpus, or --remove")
    with store.writing() as connection:
        registrations = register_models(
            connection,
            name,
            location,
            corpus_name,
            names,
            list(training_fractions),
            dtype=dtype,
            device=device,
            tokenizer=tokenizer,
            replace=replace,
        )
    for registration in registrations:
        what = f": {', '.join(registration.changes)}" if registration.changes else ""
        click.echo(f"{registration.model}@{registration.revision}: {registration.outcome}{what}")


def _remove(context: click.Context, name: str, revisions: list[str]) -> None:
    from memtax import store
    from memtax.models.register import remove_models

    for given in context.params:
        if given not in ("name", "revisions", "remove") and (
            context.get_parameter_source(given) is ParameterSource.COMMANDLINE and context.params[given]
        ):
            raise click.UsageError("--remove takes a NAME and --revision alone")
    with store.writing() as connection:
        removals = remove_models(connection, name, revisions)
    for removal in removals:
        click.echo(f"{removal.model}@{removal.revision}: removed")
    scored = sum(removal.n_scored for removal in removals)
    if scored:
        click.echo(f"  the next dbt run drops {scored:,} scored windows; registered again before it, they stay")
