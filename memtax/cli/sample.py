"""`memtax sample`: a random sample of a corpus as a dataset."""

from __future__ import annotations

import click


class Count(click.ParamType):
    """A positive whole number, or 'all' (None)."""

    name = "N|all"

    def convert(self, value: str | int | None, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Parse it."""
        if value == "all":
            return None
        try:
            number = int(str(value))
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"{value!r} is neither a positive whole number nor all", param, ctx)
        return number


class Offsets(click.ParamType):
    """Distinct whole numbers from 0 on, separated by commas."""

    name = "A[,B]..."

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Parse them."""
        if isinstance(value, tuple):
            return value
        parts = value.split(",")
        if not all(part.strip().isdecimal() for part in parts):
            self.fail(f"{value!r} is not a list of whole numbers from 0 on, such as 0,512,1024", param, ctx)
        offsets = tuple(int(part) for part in parts)
        if len(set(offsets)) < len(offsets):
            self.fail(f"{value!r} names an offset twice", param, ctx)
        return offsets


@click.command()
@click.argument("dataset")
@click.option("--corpus", required=True, help="The corpus to draw from.")
@click.option("--n", type=Count(), required=True, help="How many windows, or all for one of every sequence.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides which are drawn.")
@click.option(
    "--token-offset",
    "token_offsets",
    type=Offsets(),
    default="0",
    show_default=True,
    help="Where a window begins in its sequence; several take a window at each of them from the same sequences.",
)
@click.option("--replace", is_flag=True, help="Drop another dataset of this name first.")
def sample(dataset: str, corpus: str, n: int | None, seed: int, token_offsets: tuple[int, ...], replace: bool) -> None:
    """Draw a uniform random sample of a corpus' windows, without replacement, as the dataset DATASET.

    A window is prompt_length + continuation_length tokens (vars of dbt_project.yml). The same call gives the same
    sample on every machine, and does nothing where the dataset is there already.

    \b
    Examples:
      memtax sample representative --corpus mine --n 10000 --seed 1
      memtax sample everything --corpus mine --n all
      memtax sample by_offset --corpus mine --n 1000 --token-offset 0,512,1024
    """
    from memtax import store
    from memtax.corpus.progress import shown
    from memtax.datasets import sample as sampling
    from memtax.datasets.window import window_length

    length = window_length()
    with store.writing() as connection, shown(f"sampling {dataset}") as progress:
        done = sampling.sample(
            connection,
            dataset,
            corpus,
            n,
            seed,
            length,
            token_offsets=token_offsets,
            replace=replace,
            progress=progress,
        )
    if done.population is None:
        click.echo(f"{dataset}: already drawn")
        return
    click.echo(
        f"{dataset}: {done.dataset.n_sequences:,} windows of {length} tokens, drawn from {done.population:,} sequences "
        f"of {corpus} (seed {seed})"
    )
