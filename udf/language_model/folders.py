"""The files of a language model: a folder (or a hub repository) with config.json and safetensors, or one GGUF file.

Only these are ever opened. Other weight formats (`pytorch_model.bin`, checkpoints of torch.distributed) are pickles,
which can run code when read, and are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path

from udf.errors import UdfError
from udf.language_model.hub import fetch, is_hub_id, reads_as_hub_id

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
_COMMIT = re.compile("[0-9a-f]{40}")
_HUB_PATTERNS = (CONFIG_FILE, "model*.safetensors", INDEX_FILE)


def model_folder(location: str, revision: str) -> Path:
    """The local folder of a model, or its GGUF file; a hub id is downloaded unless cached.

    Args:
        location: a folder, a GGUF file, or a hub id.
        revision: branch, tag or commit of a hub id; a folder is taken as it is. Beside a whole commit, which only the hub
            has, a hub id is never a folder that happens to go by its name where the process works.

    Raises:
        UdfError: nothing is there.
    """
    if _COMMIT.fullmatch(revision) and reads_as_hub_id(location):
        return fetch(location, revision, _HUB_PATTERNS)
    folder = Path(location).expanduser()
    if folder.is_dir() or is_gguf(folder):
        return folder.resolve()
    if is_hub_id(location):
        return fetch(location, revision, _HUB_PATTERNS)
    found = "is a file" if folder.is_file() else "does not exist"
    raise UdfError(
        f"no language model at {location}: {folder.absolute()} {found}; expected a folder with {CONFIG_FILE} and "
        f"{WEIGHTS_FILE}, a .gguf file, or a Hugging Face hub id"
    )


def is_gguf(path: Path) -> bool:
    """Whether a path is a GGUF file: configuration, tokenizer and (mostly quantized) weights in one."""
    return path.suffix.lower() == ".gguf" and path.is_file()


def model_files(folder: Path) -> list[Path]:
    """config.json and the weight files of a model's folder, in the order in which they are read; or the one GGUF file.

    Raises:
        UdfError: config.json or the safetensors are missing, or an index names a file that is not in the folder.
    """
    if is_gguf(folder):
        return [folder]
    config = folder / CONFIG_FILE
    if not config.is_file():
        raise UdfError(
            f"{folder} holds no {CONFIG_FILE} (found: {_listing(folder)}); expected a model that transformers' "
            "save_pretrained wrote"
        )
    if (folder / WEIGHTS_FILE).is_file():
        return [config, folder / WEIGHTS_FILE]
    if (folder / INDEX_FILE).is_file():
        return [config, *_indexed(folder)]
    raise UdfError(
        f"{folder} holds no {WEIGHTS_FILE} and no {INDEX_FILE} (found: {_listing(folder)}); only safetensors are "
        "loaded, as other formats can run code: convert the model with save_pretrained"
    )


def has_weights(names: Collection[str]) -> bool:
    """Whether files of these names hold weights as safetensors."""
    return WEIGHTS_FILE in names or INDEX_FILE in names


def _indexed(folder: Path) -> list[Path]:
    index = folder / INDEX_FILE
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UdfError(f"{index} is not an index of safetensors: expected JSON with a weight_map of files") from error
    for name in names:
        # A bare file name: an index must not reach outside its folder.
        if Path(name).name != name or not name.endswith(".safetensors") or not (folder / name).is_file():
            raise UdfError(f"{index} names {name!r}, which is no safetensors file in {folder}; copy the model again")
    return [folder / name for name in names]


def _listing(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.iterdir())
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") if names else "nothing"
