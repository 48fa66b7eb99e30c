"""The Parquet files of one split: downloaded from the hub, or in a folder that was."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from memtax.datasets.hub.schemas import is_split_of
from memtax.errors import MissingExtraError, SourceError

# data/deduped.12b-00000-of-00042-1f3a.parquet, as the hub's tools name shards; or in a folder named as the split.
SHARD = re.compile(r"(?P<split>.+?)(-\d{5}-of-(?P<n>\d{5})(-\w+)?)?\.parquet")


def splits_in(folder: Path, repository: str, wanted: Sequence[str] = ()) -> dict[str, list[Path]]:
    """The splits of a published dataset that a folder holds, with their files in order.

    Args:
        folder: where the files lie.
        repository: of which dataset they are.
        wanted: the splits that have to be whole; all that are there if none is named.

    Raises:
        SourceError: the folder holds no Parquet file, or shards of a split are missing.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder; name the one that holds the downloaded files of {repository}")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.parquet")):
        # Of a converted branch the split is the folder, and files are numbered.
        names = [path.parent.name, path.parent.parent.name]
        match = SHARD.fullmatch(path.name)
        names.insert(0, match["split"] if match else "")
        split = next((name for name in names if is_split_of(repository, name)), None)
        if split is not None:
            found.setdefault(split, []).append(path)
    if not found:
        raise SourceError(
            f"{folder} holds no Parquet files of a split of {repository}; they are named SPLIT-00000-of-00042.parquet, or "
            "lie in a folder named SPLIT"
        )
    for split, paths in found.items():
        # Of another split a part may have been fetched before.
        if not wanted or split in wanted:
            _require_complete(split, paths, folder)
    return found


def download(repository: str, split: str, hub_revision: str | None) -> Path:
    """The folder with the files of a split, fetched from the hub or from its cache; a cut download goes on.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        SourceError: the hub does not answer, or has no such dataset.
    """
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as error:
        raise MissingExtraError("memtax ingest hub", "hub") from error
    # The library warns of each attempt; what fails in the end is said once, below.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    # Its own files and no others': `deduped` ends with `duped`, and `non_memorized` with `memorized`.
    patterns = [
        f"{folder}{name}"
        for name in (f"{split}-*.parquet", f"{split}.parquet", f"{split}/*.parquet")
        for folder in ("", "*/")
    ]
    try:
        folder = Path(
            snapshot_download(repository, repo_type="dataset", revision=hub_revision, allow_patterns=patterns)
        )
    except Exception as error:
        # Of this library, httpx and the file system alike: every one becomes a line.
        reason = " ".join(str(error).split())[:200]
        raise SourceError(
            f"{repository} cannot be fetched from the hub ({type(error).__name__}: {reason}); run the same command again "
            "to go on, or fetch its files elsewhere and add --from FOLDER"
        ) from None
    if next(folder.rglob("*.parquet"), None) is None:
        branch = f" on the branch {hub_revision}" if hub_revision else ""
        raise SourceError(f"{repository} has no Parquet files of a split {split}{branch} on the hub")
    return folder


def _require_complete(split: str, paths: list[Path], folder: Path) -> None:
    matches = [SHARD.fullmatch(path.name) for path in paths]
    announced = {int(match["n"]) for match in matches if match and match["n"]}
    if announced and announced != {len(paths)}:
        raise SourceError(
            f"{folder} holds {len(paths)} files of split {split}, and their names announce {max(announced)}; fetch the rest"
        )
