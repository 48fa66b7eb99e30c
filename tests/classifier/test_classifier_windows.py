"""Training windows: which files, which parts of them, and the same ones again for the same seed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from memtax.classifier.disguises import disguise
from memtax.classifier.kinds import kind_of, label_of, parts_of
from memtax.classifier.made import MADE
from memtax.classifier.sources import Place
from memtax.classifier.windows import Windows, collect

PROSE = "The boats had left the harbour before dawn, and nobody on the quay could say when they would be back. "
C_FILE = (
    "/* " + PROSE * 3 + "*/\nint total(int n) { return n * (n + 1) / 2; } // sums\n" + "x[i++] = y[j--] ^ 0x7f;\n" * 40
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / f"tale{number}.txt").write_text((PROSE + f"That was day {number}. ") * 20)
        (tmp_path / f"sum{number}.c").write_text(C_FILE.replace("0x7f", hex(number)))
    (tmp_path / "broken.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    return tmp_path


def take(folder: Path, seed: int) -> Windows:
    places = [Place("here", folder)]
    return collect(places, per_kind=20, made_per_kind=3, seed=seed, progress=lambda _: None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.py", "py"), ("README", "prose"), ("LICENSE.txt", "prose"), ("ls.1.gz", "manual"), ("x.mo", "translations"),
     ("Makefile", "mk"), ("a.png", None), ("noext", None), ("changelog.gz", "prose"), ("setup.cfg", "cfg")],
)  # fmt: skip
def test_kind_of_a_name(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_a_comment_is_language_and_a_mixed_window_teaches_nothing() -> None:
    source = parts_of("c", C_FILE)[0]
    end = C_FILE.index("*/")
    assert label_of(source, 3, 200) == 1
    assert label_of(source, end + 60, end + 300) == 0
    assert label_of(source, end - 70, end + 30) is None


def test_listings_are_taken_out_of_prose() -> None:
    fenced, directive = "```\nint z;\n```", ".. code-block:: python\n\n   q = 1"
    text = f"{PROSE}\n\nExample::\n\n    for i in x: y(i)\n\n{PROSE}\n{fenced}\n{directive}\n\n{PROSE}"
    (part,) = parts_of("prose", text)
    assert part.text.count("harbour") == 3
    assert not any(code in part.text for code in ("y(i)", "int z", "q = 1"))


def test_windows_are_decided_by_the_seed(folder: Path) -> None:
    first = take(folder, 1)
    assert first == take(folder, 1)
    assert first.texts != take(folder, 2).texts
    assert {"here", "made"} == set(first.places)
    assert {"prose", "c", "comments"} <= set(first.kinds)


def test_windows_do_not_depend_on_where_the_folder_is(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    import shutil

    other = tmp_path_factory.mktemp("other") / "copy"
    shutil.copytree(folder, other)
    assert take(folder, 5).texts == take(other, 5).texts


@pytest.mark.parametrize("name", sorted(MADE))
def test_made_texts_are_long_and_vary(name: str) -> None:
    _, make = MADE[name]
    made = {make(random.Random(seed), [PROSE]) for seed in range(40)}
    assert len(made) > 10
    assert min(map(len, made)) > 100


def test_disguises_keep_the_words() -> None:
    for seed in range(200):
        found = disguise(PROSE, random.Random(seed)).lower()
        assert "harbour" in found and "boats" in found
