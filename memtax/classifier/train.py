"""Training a classifier into a folder: collect windows, run a recipe, write model and card whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from memtax.classifier.card import Card, describe_data
from memtax.classifier.evaluation import Evaluation, evaluate
from memtax.classifier.labelled import Labelled
from memtax.classifier.linear import LinearOptions
from memtax.classifier.linear import train as train_linear
from memtax.classifier.sources import Place, default_places
from memtax.classifier.transformer import TransformerOptions, train_transformer
from memtax.classifier.windows import Windows, collect
from memtax.errors import SourceError
from udf.nl_score.models import scorer
from udf.nl_score.ngram_model import WEIGHTS_FILE, save

PER_KIND, MADE_PER_KIND = 1_200, 1_000
FEWEST_WINDOWS = 200


def train_classifier(
    out: Path,
    options: LinearOptions | TransformerOptions,
    *,
    command: str,
    folders: list[Path],
    seed: int,
    per_kind: int = PER_KIND,
    made_per_kind: int = MADE_PER_KIND,
    labelled: dict[str, Labelled] | None = None,
    progress: Callable[[str], None],
) -> Card:
    """Train with the recipe that the options belong to.

    Args:
        out: the folder to write; replaced whole if it holds a classifier.
        options: of a recipe.
        command: as the card shall name it.
        folders: where to look for text; empty for what any machine has.
        seed: of the windows.
        per_kind, made_per_kind: how many windows to take of each kind of text.
        labelled: files to score the model on for its card, by name.
        progress: called with what is done next.

    Raises:
        SourceError: `out` is in use for something else, or too little text of either kind was found.
    """
    _check_target(out)
    for folder in folders:
        if not folder.is_dir():
            raise SourceError(f"--from {folder} is not a folder; expected one with text files in it")
    places = [Place(folder.resolve().name, folder) for folder in folders] or default_places()
    windows = collect(places, per_kind=per_kind, made_per_kind=made_per_kind, seed=seed, progress=progress)
    counts = [windows.labels.count(label) for label in (0, 1)]
    if min(counts) < FEWEST_WINDOWS:
        raise SourceError(
            f"found {counts[1]} windows of natural language and {counts[0]} of code, and {FEWEST_WINDOWS} of each are "
            "needed; name folders with sources and with prose with --from"
        )
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        scores = _run(part, windows, options, progress)
        for name, rows in (labelled or {}).items():
            scores[name] = evaluate_model(str(part), rows).summary()
        recipe = "linear" if isinstance(options, LinearOptions) else "transformer"
        card = Card(recipe, command, asdict(options), seed, describe_data(windows), scores)
        card.write(part)
        if out.exists():
            shutil.rmtree(out)
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return card


def evaluate_model(model: str, labelled: Labelled, target_precision: float = 0.985) -> Evaluation:
    """The evaluation of a model (as `nl_score_with` names it) on labelled texts."""
    return evaluate(scores_of(model, labelled.texts), labelled.is_language, target_precision)


def scores_of(model: str, texts: list[str]) -> np.ndarray:
    """nl_score of each text by a model, float64 [n]."""
    from udf.nl_score import nl_score_with

    scorer(model)
    column = pa.array(texts, pa.string())
    return np.asarray(nl_score_with(column, pa.array([model] * len(texts), pa.string())))


def _run(
    folder: Path, windows: Windows, options: LinearOptions | TransformerOptions, progress: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    if isinstance(options, TransformerOptions):
        progress("training")
        return {"a held-out tenth of the windows": train_transformer(windows, folder, options)}
    fitted = train_linear(windows, options, progress)
    save(fitted.model, folder / WEIGHTS_FILE)
    probability = 1 / (1 + np.exp(-fitted.held_out))
    found = evaluate(probability, np.array(windows.labels) == 1).summary()
    measures = ("n", "roc_auc", "brier_score", "calibration_error", "f1_at_half")
    held_out = {name: found[name] for name in measures} | {"temperature": fitted.temperature}
    return {"kinds of text that the fit did not see": held_out}


def _check_target(out: Path) -> None:
    if out.exists() and not (out.is_dir() and ((out / "card.json").is_file() or not any(out.iterdir()))):
        raise SourceError(f"{out} exists and is no classifier of memtax; name a folder that is new, empty or one")
