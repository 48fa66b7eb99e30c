"""Uploading an exported folder to the Hugging Face hub, so that the same command goes on where it was cut off."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from memtax.errors import MemtaxError, MissingExtraError
from memtax.export.manifest import MANIFEST, verify

if TYPE_CHECKING:
    from huggingface_hub import HfApi

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
# What the hub itself puts in a new repository.
HUBS_OWN = {".gitattributes"}


class PushError(MemtaxError):
    """The hub did not take the folder: the message says why, and that the same command goes on."""


def push_folder(folder: Path, repository: str, *, private: bool = True) -> str:
    """Create the dataset `repository` if need be, and make its files those of the folder, in one commit.

    Files whose content the hub has are not sent again, so that a second run completes the first.

    Args:
        folder: of a finished export; it is verified first.
        repository: OWNER/NAME on the hub.
        private: whether a new repository is; one that is there stays as it is.

    Returns:
        A line that says where it is.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        SourceError: the folder is not as it was exported.
        PushError: no token, no right, another dataset of that name, or a connection that was cut.
    """
    try:
        from huggingface_hub import HfApi, get_token
    except ModuleNotFoundError as error:
        raise MissingExtraError("memtax export --push", "hub") from error
    if not REPOSITORY.fullmatch(repository):
        raise PushError(f"--push {repository!r} is not OWNER/NAME")
    records = verify(folder)
    token = get_token()
    if not token:
        raise PushError("the hub needs a token to upload, and none is stored: run hf auth login, or set HF_TOKEN")
    # The library warns and draws bars of its own; what fails is said once, below.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    api = HfApi(token=token, library_name="memtax")
    try:
        _require_ours(api, repository, private)
        listed = [MANIFEST, *(record.path for record in records)]
        info = api.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=listed,
            # Shards of an earlier export that this one does not have.
            delete_patterns=["*.parquet"],
            commit_message="Export of memtax",
        )
    except Exception as error:
        # Of this library, httpx and the file system alike: every one becomes a line.
        raise PushError(_said(error, folder, repository).replace(token, "(token)")) from None
    size = sum(record.bytes for record in records)
    return f"{repository}: {len(listed)} files, {size:,} bytes, at {info.commit_url or api.endpoint}"


def _require_ours(api: HfApi, repository: str, private: bool) -> None:
    api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
    there = set(api.list_repo_files(repository, repo_type="dataset")) - HUBS_OWN
    if there and MANIFEST not in there:
        raise PushError(
            f"the dataset {repository} holds {sorted(there)[0]} and no export of memtax; nothing was changed. Push to "
            "another name, or empty it first"
        )


def _said(error: Exception, folder: Path, repository: str) -> str:
    if isinstance(error, PushError):
        return str(error)
    again = f"run the same command again: memtax export {folder} --push {repository} sends only what is missing"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return (
            f"the hub does not accept the token (401); make one with write access, and run hf auth login. Then {again}"
        )
    if status == 403:
        return f"the token may not write to {repository} (403); take one with write access to it, or a name of your own"
    if status == 404:
        return f"the hub has no {repository} that this token may see (404); check OWNER, and that the token has access"
    if status in (409, 412):
        return f"somebody else changed {repository} at the same time ({status}); {again}"
    if status is not None:
        return f"the hub answered {status} to an upload to {repository}; {again}"
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"the upload to {repository} was cut off ({type(error).__name__}: {reason[:200]}); {again}"
