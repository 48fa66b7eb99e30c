"""Where training text lies on any machine, and reading it in an order that a seed decides."""

from __future__ import annotations

import gettext
import gzip
import importlib.metadata
import os
import random
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from memtax.classifier.kinds import kind_of

# Documentation, sources and settings that packages of the system installed. None is needed; what is there is taken.
SYSTEM_FOLDERS = (
    "/usr/share/doc", "/usr/share/man", "/usr/share/common-licenses", "/usr/share/locale", "/usr/include",
    "/usr/share/perl", "/usr/share/perl5", "/usr/share/vim", "/usr/share/postgresql", "/usr/share/tcltk",
    "/usr/share/cmake", "/usr/share/mime", "/usr/share/javascript", "/usr/share/X11", "/usr/share/groff",
    "/usr/share/alsa", "/usr/share/fontconfig", "/usr/share/gtk-doc", "/usr/share/source-highlight", "/usr/share/git-core",
    "/usr/share/texmf", "/usr/share/texlive", "/usr/lib/node_modules", "/usr/share/nodejs", "/usr/share/icons",
    "/usr/lib/systemd", "/var/lib/dpkg/info", "/usr/share/emacs", "/usr/share/lintian", "/usr/share/debconf",
)  # fmt: skip
FILE_CHARACTERS = 400_000
FILES_OF_A_KIND = 1_500  # of one place: enough variety; more of the same teaches nothing


@dataclass(frozen=True)
class Place:
    """A folder that is searched, and how the model's card names it (never where it lies on this machine)."""

    name: str
    folder: Path


def default_places() -> list[Place]:
    """The interpreter's library, the installed distributions, and the folders of the system that are there."""
    places = [
        Place("standard library", Path(sysconfig.get_path("stdlib"))),
        Place("installed distributions", Path(sysconfig.get_path("purelib"))),
    ]
    return places + [Place(name, Path(name)) for name in SYSTEM_FOLDERS if Path(name).is_dir()]


def files_by_kind(place: Place, generator: random.Random) -> dict[str, list[Path]]:
    """Files of a place by kind, at most FILES_OF_A_KIND of each, drawn in an order that depends on names alone."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in _walk(place):
        kind = kind_of(path.name)
        if kind is not None:
            found[kind].append(path)
    return {kind: generator.sample(found[kind], min(len(found[kind]), FILES_OF_A_KIND)) for kind in sorted(found)}


def read(path: Path, kind: str) -> str | None:
    """The text of a file (of a long one, the beginning); None where it is none."""
    try:
        if kind == "translations":
            return _translations(path)
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                content = file.read(FILE_CHARACTERS)
        else:
            with path.open("rb") as file:
                content = file.read(FILE_CHARACTERS)
        # A cut may have split the last character.
        text = content.decode("utf-8", errors="ignore" if len(content) == FILE_CHARACTERS else "strict")
    except (OSError, EOFError, UnicodeError, ValueError):
        return None
    return None if "\0" in text else text


def versions() -> dict[str, str]:
    """Name and version of every installed distribution: what the text was read from."""
    found = {item.name: item.version for item in importlib.metadata.distributions()}
    return {name: found[name] for name in sorted(found, key=str.lower)}


def _walk(place: Place) -> Iterator[Path]:
    inside = place.name == "standard library"
    for folder, folders, names in os.walk(place.folder):
        skipped = {"__pycache__"} | ({"site-packages", "dist-packages"} if inside else set())
        folders[:] = sorted(name for name in folders if name not in skipped)
        for name in sorted(names):
            path = Path(folder, name)
            if not path.is_symlink() and path.is_file():
                yield path


def _translations(path: Path) -> str:
    with path.open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # it has no other list
    pairs: Iterable[tuple[object, object]] = catalogue.items()
    return "\n".join(value for key, value in pairs if key and isinstance(value, str) and len(value) > 30)
