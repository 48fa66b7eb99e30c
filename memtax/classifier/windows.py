"""Labelled windows: about 64 tokens of text, cut where they happen to fall, as many of each kind."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from memtax.classifier.disguises import disguise
from memtax.classifier.kinds import Part, label_of, parts_of
from memtax.classifier.made import MADE
from memtax.classifier.sources import Place, files_by_kind, read

CODE, LANGUAGE = 0, 1
WINDOWS_OF_A_FILE = 6
# 64 tokens are 130 to 340 characters of most text; some windows are mostly blank, and short once that is squeezed.
LENGTHS = (90, 340)
SHORT = (20, 90)
SHORT_SHARE = 0.1


@dataclass(frozen=True)
class Windows:
    """Training texts, in one order for one seed and one machine.

    Attributes:
        texts: the windows.
        labels: 1 for natural language, 0 for code.
        kinds: what each was cut from.
        places: how many windows came from each place.
    """

    texts: list[str]
    labels: list[int]
    kinds: list[str]
    places: dict[str, int]


def collect(
    places: list[Place], *, per_kind: int, made_per_kind: int, seed: int, progress: Callable[[str], None]
) -> Windows:
    """Cut windows from the files of some places and add made ones, each text once.

    Args:
        places: folders to search.
        per_kind: at most so many windows of one kind and label.
        made_per_kind: windows from each generator of `made`.
        seed: decides which files, where they are cut, and what is made.
        progress: called with the name of each place before it is read.
    """
    generator = random.Random(seed)  # noqa: S311 - a sample, not a secret
    found: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for place in places:
        progress(place.name)
        for kind, files in files_by_kind(place, generator).items():
            for path in files:
                _cut_file(path, kind, place, generator, found)
    prose = sorted(text for (kind, label), texts in found.items() if label == LANGUAGE for text in texts)
    chosen: list[tuple[str, int, str, str]] = []
    for kind, label in sorted(found):
        texts = found[kind, label]
        for text in generator.sample(sorted(texts), min(len(texts), _quota(kind, label, per_kind))):
            chosen.append((disguise(text, generator) if label == LANGUAGE else text, label, kind, texts[text]))
    progress("made texts")
    # Made texts take their words from prose.
    for name, (label, make) in MADE.items() if prose else ():
        chosen += [(_cut(make(generator, prose), generator), label, name, "made") for _ in range(made_per_kind)]
    generator.shuffle(chosen)
    return Windows(
        [text for text, _, _, _ in chosen],
        [label for _, label, _, _ in chosen],
        [kind for _, _, kind, _ in chosen],
        dict(sorted(Counter(place for _, _, _, place in chosen).items())),
    )


def _quota(kind: str, label: int, per_kind: int) -> int:
    # Prose is one kind with as much variety as all languages of code together.
    return per_kind * {"prose": 6, "manual": 3, "comments": 5, "html text": 3, "translations": 3}.get(kind, 1)


def _cut_file(
    path: Path, kind: str, place: Place, generator: random.Random, found: dict[tuple[str, int], dict[str, str]]
) -> None:
    text = read(path, kind)
    if not text:
        return
    for part in parts_of(kind, text):
        # Blanks are squeezed when a text is scored; here too, so that windows are as long as they look.
        for _ in range(min(WINDOWS_OF_A_FILE, 1 + len(part.text) // 1_500)):
            window = _window(part, generator)
            if window is not None:
                found[part.kind, window[1]].setdefault(window[0], place.name)


def _window(part: Part, generator: random.Random) -> tuple[str, int] | None:
    length = _length(generator)
    start = generator.randrange(max(1, len(part.text) - length))
    end = min(len(part.text), start + length)
    if end - start < SHORT[0]:
        return None
    text = re.sub(r"[ \t\n]{3,}", "  ", part.text[start:end])
    label = label_of(part, start, end)
    if label is None or len(text) < SHORT[0]:
        return None
    return text, label


def _length(generator: random.Random) -> int:
    return generator.randrange(*(SHORT if generator.random() < SHORT_SHARE else LENGTHS))


def _cut(text: str, generator: random.Random) -> str:
    length = _length(generator)
    start = generator.randrange(max(1, len(text) - length))
    return text[start : start + length]
