"""Opening token files: which format they are, and one module for each."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from memtax.corpus.source import Source, SourceOptions
from memtax.errors import SourceError

# Format -> the module whose `open_source` reads it; imported when needed, for pyarrow's readers are not light.
FORMATS = {
    "bin": "memtax.corpus.formats.raw_bin",
    "mmap": "memtax.corpus.formats.megatron",
    "npy": "memtax.corpus.formats.npy",
    "parquet": "memtax.corpus.formats.parquet",
    "jsonl": "memtax.corpus.formats.packed_text",
    "text": "memtax.corpus.formats.packed_text",
}
SUFFIXES = {
    ".bin": "bin",
    ".npy": "npy",
    ".parquet": "parquet",
    ".arrow": "parquet",
    ".feather": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": "text",
    ".text": "text",
    ".md": "text",
}


def open_source(paths: Sequence[Path | str], format_name: str = "auto", options: SourceOptions | None = None) -> Source:
    """Open files that are parts of one stream of sequences, in order.

    Args:
        paths: the files.
        format_name: a key of FORMATS, or 'auto' to go by the files' names.
        options: what the user said about them.

    Raises:
        SourceError: a file is missing, empty, or not what the format says.
    """
    options = options or SourceOptions()
    given = [Path(path).expanduser() for path in paths]
    if not given:
        raise SourceError("no source was given; name at least one file")
    if format_name != "mmap":  # a pair may be named by the prefix that its two files share
        for path in given:
            _require_file(path)
    if format_name == "auto":
        format_name = _detect(given)
    absolute = [path.resolve() for path in given]
    return import_module(FORMATS[format_name]).open_source(absolute, options, format_name)


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name the files in it, in order")
    if not path.is_file():
        raise SourceError(f"{path} does not exist; check the path")
    if path.stat().st_size == 0:
        raise SourceError(f"{path} is empty; it may not have been written or downloaded completely")


def _detect(paths: Sequence[Path]) -> str:
    suffixes = {path.suffix.lower() for path in paths}
    if ".idx" in suffixes:
        return "mmap"
    if suffixes == {".bin"}:
        beside = [path for path in paths if path.with_suffix(".idx").is_file()]
        return "mmap" if beside else "bin"
    formats = {SUFFIXES.get(suffix) for suffix in suffixes}
    if None in formats:
        unknown = sorted(suffix or "no suffix" for suffix in suffixes if suffix not in SUFFIXES)
        raise SourceError(
            f"cannot tell the format of {paths[0].name} by its name ({', '.join(unknown)}); "
            f"say --format {'|'.join(FORMATS)}"
        )
    if len(formats) > 1:
        raise SourceError(
            f"the sources are of several formats ({', '.join(sorted(str(name) for name in formats))}); "
            "land each format in a call of its own, the second with --append"
        )
    return str(formats.pop())
