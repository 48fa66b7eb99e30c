"""Telling a folder from a Hugging Face hub id, and fetching named files of a hub repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from udf.errors import UdfError
from udf.language_model.libraries import first_line

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True)
class Repository:
    """One revision of a hub repository: its commit, and the names of its files (offline: of those that are cached)."""

    commit: str
    files: frozenset[str]


def is_hub_id(location: str) -> bool:
    """Whether `location` reads as a hub id (`owner/name` or `name`) and nothing on disk goes by that path."""
    return reads_as_hub_id(location) and not Path(location).expanduser().exists()


def reads_as_hub_id(location: str) -> bool:
    """Whether `location` reads as a hub id, whatever is on disk."""
    return _HUB_ID.fullmatch(location) is not None


@lru_cache(maxsize=64)
def fetch(hub_id: str, revision: str, patterns: tuple[str, ...]) -> Path:
    """The local folder that holds those files of a hub repository which match `patterns`; downloaded unless cached.

    One process asks the hub once: a branch that moves meanwhile is seen by the next process.

    Args:
        hub_id: `owner/name`.
        revision: a branch, tag or commit.
        patterns: globs of file names; nothing else is downloaded.

    Raises:
        UdfError: huggingface_hub is not installed, the hub cannot be reached and nothing is cached, or the hub has no
            such repository or revision.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise UdfError(
            f"{Path(hub_id).absolute()} does not exist, and to look for {hub_id!r} on the Hugging Face hub "
            "huggingface_hub must be installed: pip install huggingface_hub"
        ) from error
    try:
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=list(patterns)))
    # The hub client raises from three libraries, which change with its version; each of them means "could not fetch".
    except Exception as error:
        raise UdfError(
            f"neither {Path(hub_id).absolute()} exists nor could {hub_id!r} at revision {revision!r} be fetched from "
            f"the Hugging Face hub ({first_line(error)}); check the spelling and the network, or give a folder"
        ) from error


def repository(hub_id: str, revision: str) -> Repository:
    """What a hub repository holds, asked of the hub; without one, of the cache. No weights are downloaded.

    Raises:
        UdfError: as `fetch`.
    """
    # A folder in the hub's cache is named for its commit.
    cached = fetch(hub_id, revision, ("config.json",))
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(hub_id, revision=revision)
    except Exception:  # of several libraries, as in `fetch`, which has just found the repository or a cached copy of it
        return Repository(cached.name, frozenset(entry.name for entry in cached.iterdir()))
    return Repository(info.sha or cached.name, frozenset(file.rfilename for file in info.siblings or []))
