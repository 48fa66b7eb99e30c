"""`memtax report`: the analyses and plots as one page."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME[@REVISION]",
    help="Show the details of this model, at one checkpoint or at up to 40 that are spread over training; may be repeated. By "
    "default those of every model's last checkpoint, and of as many earlier ones of the largest as fit.",
)
@click.option("--dataset", metavar="NAME", help="Show this dataset first; by default the largest representative one.")
def report(file: Path, models: tuple[str, ...], dataset: str | None) -> None:
    """Write the analyses of the store to FILE as one HTML page, which opens without a network.

    What was found in words, then figures: categories by model and checkpoint, P(memorized), the taxonomy's performance,
    coefficients, correlations, distributions, the partition search, code scores, attention, and what all of it rests on; each
    with its SQL, its numbers and its picture to take away. A part whose tables are missing says which command makes them.

    \b
    Examples:
      memtax report report.html
      memtax report pythia.html --model pythia-70m --model pythia-12b@step143000
    """
    from memtax import store
    from memtax.report import ReportOptions, write_report

    with store.reading() as connection:
        size = write_report(connection, file, ReportOptions(models, dataset))
    click.echo(f"{file}: {size:,} bytes; open it in a browser")
