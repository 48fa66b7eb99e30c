"""How an in-place shard lies in its files, as `raw.corpus_shards.layout` keeps it, and whether it still lies so."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from memtax.corpus.mapped import MappedTokens, TokenPart
from memtax.corpus.sequence_index import FixedIndex, RaggedIndex
from memtax.corpus.shards import Shard
from memtax.errors import SourceError


def describe_layout(mapped: MappedTokens, paths: Sequence[Path], blocks: str) -> dict[str, Any]:
    """The layout as JSON.

    Args:
        mapped: the tokens in their files.
        paths: every file that a scan depends on, an index included.
        blocks: `blocks_checksum` of them.
    """
    index: dict[str, Any]
    if isinstance(mapped.index, FixedIndex):
        index = {"sequence_length": mapped.index.length}
    elif isinstance(mapped.index, RaggedIndex):
        index = {
            "path": str(mapped.index.path),
            "sizes_at": mapped.index.sizes_at,
            "pointers_at": mapped.index.pointers_at,
        }
    else:
        raise TypeError(f"no layout for {type(mapped.index).__name__}")
    return {
        "dtype": mapped.dtype.str,
        "parts": [
            {"path": str(part.path), "data_offset": part.data_offset, "n_tokens": part.n_tokens}
            for part in mapped.parts
        ],
        "index": index,
        "files": [_state(path) for path in paths],
        "blocks": blocks,
    }


def open_layout(shard: Shard) -> MappedTokens:
    """The shard's tokens, mapped again, after a look at whether its files are as they were.

    Raises:
        SourceError: a file is gone, or its size or time has changed since it was registered.
    """
    layout = _layout(shard)
    for state in layout["files"]:
        _require_unchanged(state, shard)
    dtype = np.dtype(layout["dtype"])
    parts = tuple(TokenPart(Path(part["path"]), part["data_offset"], part["n_tokens"]) for part in layout["parts"])
    index = layout["index"]
    if "sequence_length" in index:
        return MappedTokens(parts, dtype, FixedIndex(shard.n_sequences, index["sequence_length"]))
    ragged = RaggedIndex(
        Path(index["path"]), shard.n_sequences, index["sizes_at"], index["pointers_at"], dtype.itemsize
    )
    return MappedTokens(parts, dtype, ragged)


def _layout(shard: Shard) -> dict[str, Any]:
    if shard.layout is None:
        raise SourceError(
            f"shard {shard.shard_id} of corpus {shard.corpus!r} is {shard.storage}: it has no files to map"
        )
    return shard.layout


def _state(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {"path": str(path), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _require_unchanged(state: dict[str, Any], shard: Shard) -> None:
    path = Path(state["path"])
    of = f"which corpus {shard.corpus!r} is scanned from in place (shard {shard.shard_id})"
    if not path.is_file():
        raise SourceError(f"{path}, {of}, is gone; put it back with its time of change")
    found = _state(path)
    if found == state:
        return
    what = (
        f"has {found['size']:,} bytes and had {state['size']:,}"
        if found["size"] != state["size"]
        else "was written to or copied again"
    )
    raise SourceError(
        f"{path}, {of}, {what} since it was registered; put back the file that was there, or, if its tokens are the "
        f"same, run this again: {_registering(shard)}"
    )


def _registering(shard: Shard) -> str:
    """The command that registers the shard's files as they were registered, ready for a shell."""
    layout = _layout(shard)
    command = ["memtax", "ingest", "corpus", shard.corpus, *shard.sources, "--format", shard.format, "--in-place"]
    if shard.format == "bin":  # the other formats say these themselves
        command += ["--dtype", np.dtype(layout["dtype"]).name]
        command += ["--sequence-length", str(layout["index"]["sequence_length"])]
    return shlex.join(command)
