"""One picture of an evaluation: measures over thresholds, and calibration."""

from __future__ import annotations

from pathlib import Path

from memtax.classifier.evaluation import Evaluation
from memtax.errors import MissingExtraError

FORMATS = (".png", ".svg", ".pdf")


def plot(evaluation: Evaluation, path: Path, model: str) -> None:
    """Draw precision, recall and F1 of natural language over thresholds, and the reliability curve, into `path`.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("plotting", "plot") from error

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    measures, calibration = figure.subplots(1, 2)
    thresholds = [row.threshold for row in evaluation.thresholds]
    for name, values, style in (
        ("precision", [row.precision for row in evaluation.thresholds], "-"),
        ("recall", [row.recall for row in evaluation.thresholds], "--"),
        ("F1", [row.f1 for row in evaluation.thresholds], ":"),
        ("precision of code", [row.code_precision for row in evaluation.thresholds], "-."),
    ):
        measures.plot(thresholds, values, style, label=name, linewidth=1.8)
    measures.axvspan(evaluation.code_below, evaluation.language_from, color="0.85", label="uncertain", zorder=0)
    measures.set(xlabel="threshold on nl_score", ylabel="natural language", xlim=(0, 1), ylim=(0.5, 1.01))
    measures.set_title(f"ROC-AUC {evaluation.roc_auc:.3f}, n = {evaluation.n}", fontsize=10)
    measures.legend(loc="lower center", fontsize=8)
    calibration.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="perfect")
    calibration.plot(
        [one.mean_score for one in evaluation.reliability], [one.share for one in evaluation.reliability], "o-",
        label=f"{model}, bins of {evaluation.reliability[0].n} texts",
    )  # fmt: skip
    calibration.set(
        xlabel="mean nl_score of the bin", ylabel="share of natural language", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02)
    )
    calibration.set_title(
        f"Brier {evaluation.brier_score:.3f}, calibration error {evaluation.calibration_error:.3f}", fontsize=10
    )
    calibration.legend(loc="upper left", fontsize=8)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    figure.savefig(part, dpi=130, metadata={"Date": None} if path.suffix == ".svg" else None)
    part.replace(path)
