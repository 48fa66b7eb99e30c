"""`memtax classifier`: train and judge what tells code from natural language."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from memtax.classifier.evaluation import Evaluation


@click.group()
def classifier() -> None:
    """Train, or measure, a classifier of code and natural language (the scores of nl_score).

    \b
    Examples:
      memtax classifier train ./classifier
      memtax classifier evaluate labelled.csv --model ./classifier --plot thresholds.svg
    """


@classifier.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--from", "folders", type=click.Path(path_type=Path), multiple=True,
              help="A folder to read text from, instead of what is installed; may be repeated.")  # fmt: skip
@click.option("--recipe", type=click.Choice(["linear", "transformer"]), default="linear", show_default=True,
              help="linear: hashed n-grams, minutes. transformer: fine-tunes --base, as the paper did.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Decides which text is read, and where it is cut.")
@click.option(
    "--per-kind", type=click.IntRange(min=1), default=1200, show_default=True, help="Windows of each kind of file."
)
@click.option("--made-per-kind", type=click.IntRange(min=0), default=1000, show_default=True,
              help="Windows of each kind that is made.")  # fmt: skip
@click.option("--regularization", type=click.FloatRange(min=0, min_open=True), default=0.03, show_default=True,
              help="linear: inverse strength of the L2 penalty.")  # fmt: skip
@click.option("--base", default="distilbert-base-uncased", show_default=True, help="transformer: a folder or hub id.")
@click.option(
    "--learning-rate", type=click.FloatRange(min=0, min_open=True), default=2e-5, show_default=True, help="transformer."
)
@click.option(
    "--epochs", type=click.FloatRange(min=0, min_open=True), default=2.0, show_default=True, help="transformer."
)
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True, help="transformer.")
@click.option("--weight-decay", type=click.FloatRange(min=0), default=0.01, show_default=True, help="transformer.")
@click.option(
    "--max-length", type=click.IntRange(min=8), default=128, show_default=True, help="transformer: tokens of a window."
)
@click.option("--evaluate", "labelled", type=click.Path(path_type=Path), multiple=True,
              help="A labelled CSV to score the model on, for its card; never trained on.")  # fmt: skip
def train(
    out: Path, folders: tuple[Path, ...], recipe: str, seed: int, per_kind: int, made_per_kind: int, regularization: float,
    base: str, learning_rate: float, epochs: float, batch_size: int, weight_decay: float, max_length: int,
    labelled: tuple[Path, ...],
) -> None:  # fmt: skip
    """Train a classifier into the folder OUT: weights (safetensors), card.json and README.md.

    Text comes from what any machine has: the interpreter's library, installed distributions, documentation, manual
    pages and headers of the system. One seed on one machine gives one model. nl_score_with takes OUT as its model.

    \b
    Examples:
      memtax classifier train ./classifier
      memtax classifier train ./distilbert --recipe transformer --base distilbert-base-uncased --epochs 3
    """
    from memtax.classifier.labelled import read_labelled
    from memtax.classifier.linear import LinearOptions
    from memtax.classifier.train import train_classifier
    from memtax.classifier.transformer import TransformerOptions

    options: LinearOptions | TransformerOptions = LinearOptions(inverse_regularization=regularization)
    if recipe == "transformer":
        options = TransformerOptions(base, learning_rate, epochs, batch_size, weight_decay, max_length, seed)
    card = train_classifier(
        out,
        options,
        command=_command(),
        folders=list(folders),
        seed=seed,
        per_kind=per_kind,
        made_per_kind=made_per_kind,
        labelled={path.name: read_labelled(path) for path in labelled},
        progress=lambda step: click.echo(f"  {step}", err=True),
    )
    for name, scores in card.scores.items():
        click.echo(f"{name}: " + ", ".join(f"{measure} {value:.4g}" for measure, value in scores.items()))
    click.echo(f"wrote {out}; use it with nl_score_with(text, '{out}') or the var nl_score_with")


@classifier.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--text-column", default="text", show_default=True)
@click.option("--label-column", default="is_code", show_default=True, help="1 or code, 0 or nl.")
@click.option("--model", default="default", show_default=True, help="As nl_score_with takes it.")
@click.option("--precision", type=click.FloatRange(0.5, 1.0), default=0.985, show_default=True,
              help="What each of the two recommended thresholds has to reach.")  # fmt: skip
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Draw it, too: a .png, .svg or .pdf file.")
def evaluate(
    file: Path, text_column: str, label_column: str, model: str, precision: float, picture: Path | None
) -> None:
    """Measure a model on a labelled CSV file, and recommend the two thresholds of code_type.

    Prints precision, recall and F1 over thresholds, ROC-AUC and calibration (Brier score; mean gap between score and
    share over ten bins of as many texts).

    \b
    Example:
      memtax classifier evaluate labelled.csv --label-column is_code --plot thresholds.svg
    """
    from memtax.classifier.labelled import read_labelled
    from memtax.classifier.plot import FORMATS, plot
    from memtax.classifier.train import evaluate_model

    if picture is not None and picture.suffix.lower() not in FORMATS:
        raise click.UsageError(f"--plot {picture}: expected a file that ends in {', '.join(FORMATS)}")
    found = evaluate_model(model, read_labelled(file, text_column, label_column), precision)
    _print(found, model)
    if picture is not None:
        plot(found, picture, model)
        click.echo(f"drew {picture}")


def _print(found: Evaluation, model: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 110)
    console.print(f"{model}: {found.n} texts, {found.n_language} natural language")
    console.print(
        f"ROC-AUC {found.roc_auc:.4f}   average precision {found.average_precision:.4f}   "
        f"Brier {found.brier_score:.4f}   calibration error {found.calibration_error:.4f}"
    )
    rows = Table(
        "threshold", *(f"{name} of {what}" for what in ("nl", "code") for name in ("precision", "recall", "F1"))
    )
    for threshold in sorted({0.05, *(n / 10 for n in range(1, 10)), 0.95, found.code_below, found.language_from}):
        row = found.at(threshold)
        values = (row.precision, row.recall, row.f1, row.code_precision, row.code_recall, row.code_f1)
        rows.add_row(f"{row.threshold:.2f}", *(f"{value:.3f}" for value in values))
    console.print(rows)
    bins = Table("texts", "mean nl_score", "share of nl", title="Calibration", title_justify="left")
    for one in found.reliability:
        bins.add_row(str(one.n), f"{one.mean_score:.3f}", f"{one.share:.3f}")
    console.print(bins)
    console.print(
        f"Recommended: nl_score_code_below: {found.code_below:.2f}, nl_score_language_from: {found.language_from:.2f} "
        f"(each right in at least {found.target_precision:.1%} of its calls; {found.n_uncertain} texts between them)"
    )


def _command() -> str:
    # Absolute folders are left out: where things lie on this machine is nobody's business.
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return " ".join(["memtax", *words])
