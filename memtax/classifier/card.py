"""The card of a trained classifier: what it is, what it was trained on, with which command, and how well it does."""

from __future__ import annotations

import json
import platform
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from memtax import __version__
from memtax.classifier.sources import versions
from memtax.classifier.windows import Windows

CARD, README = "card.json", "README.md"


@dataclass(frozen=True)
class Card:
    """What is recorded beside the weights.

    Attributes:
        recipe: `linear` or `transformer`.
        command: what to run for the same model on the same machine.
        options: of the recipe.
        seed: of the windows.
        data: windows by kind and label, and by place.
        scores: on data that was not trained on, by name.
    """

    recipe: str
    command: str
    options: dict[str, Any]
    seed: int
    data: dict[str, Any]
    scores: dict[str, dict[str, float]]

    def write(self, folder: Path) -> None:
        """Write card.json and README.md."""
        content = asdict(self) | {
            "memtax": __version__,
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "class_prior": "one half natural language: both classes weigh alike",
            "distributions": versions(),
        }
        (folder / CARD).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (folder / README).write_text(self._markdown(), encoding="utf-8")

    def _markdown(self) -> str:
        kinds = "\n".join(
            f"| {kind} | {counts.get('natural language', 0)} | {counts.get('code', 0)} |"
            for kind, counts in self.data["kinds"].items()
        )
        places = "\n".join(f"| {name} | {n} |" for name, n in self.data["places"].items())
        scores = "\n".join(
            f"| {name} | {measure} | {value:.6g} |"
            for name, found in self.scores.items()
            for measure, value in found.items()
        )
        return f"""# Code or natural language: the {self.recipe} model

The probability that a text of about 64 tokens is natural language. Written by

    {self.command}

`card.json` beside this page has the same with every option and the versions of all installed distributions.
Training text was read from installed files (their own licences hold for them; no text is in the model) or made by the
command. The prior is one half: both classes weigh alike in training, whatever their numbers.

## Scores
| on | measure | value |
|---|---|---|
{scores}

## Training windows
| kind | natural language | code |
|---|---|---|
{kinds}

| place | windows |
|---|---|
{places}
"""


def describe_data(windows: Windows) -> dict[str, Any]:
    """How many windows of each kind and label, and of each place."""
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: {"natural language": 0, "code": 0})
    for kind, label in zip(windows.kinds, windows.labels, strict=True):
        kinds[kind]["natural language" if label else "code"] += 1
    return {
        "n": len(windows.texts),
        "kinds": {kind: kinds[kind] for kind in sorted(kinds)},
        "places": windows.places,
    }
