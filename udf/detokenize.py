"""Token ids back to text, and the one place where tokenizers are found and loaded."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa

from udf.errors import UdfError
from udf.language_model.folders import is_gguf
from udf.language_model.hub import fetch, is_hub_id
from udf.registry import udf

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER_FILE = "tokenizer.json"

_TOKENS = pa.list_(pa.uint32())
_lock = threading.Lock()


@udf([_TOKENS, pa.string()], pa.string())
def detokenize(tokens: pa.Array, tokenizer: pa.Array) -> pa.Array:
    """Decode each row's token ids as they are: special tokens stay visible and no space is cleaned up.

    Bytes that are not whole UTF-8 characters, as at the edges of a window, become U+FFFD.

    Args:
        tokens: token ids, `UINTEGER[]`.
        tokenizer: a tokenizer.json, a folder that holds one, or a hub id.

    Returns:
        text per row; NULL where tokens or tokenizer is.

    Raises:
        UdfError: no tokenizer is there, or a token id is beyond its vocabulary.
    """
    rows = tokens.to_pylist()
    texts: list[str | None] = [None] * len(rows)
    locations = tokenizer.to_pylist()
    for location in {name for name in locations if name is not None}:
        chosen = [row for row, name in enumerate(locations) if name == location and rows[row] is not None]
        decoded = _decode([rows[row] for row in chosen], location)
        for row, text in zip(chosen, decoded, strict=True):
            texts[row] = text
    return pa.array(texts, pa.string())


def load_tokenizer(location: str, revision: str = "main") -> Tokenizer:
    """The tokenizer of a file, folder or hub id, loaded once for as long as its file stays the same.

    Args:
        location: a tokenizer.json, a folder that holds one, or a hub id.
        revision: of a hub id.

    Raises:
        UdfError: it is not there, or not a tokenizer.
    """
    path = find_tokenizer(location, revision)
    with _lock:
        return _load(path, path.stat().st_mtime_ns)[0]


def find_tokenizer(location: str, revision: str = "main") -> Path:
    """The tokenizer.json of a file, folder or hub id (downloaded unless cached), as an absolute path.

    Raises:
        UdfError: there is none; the message says where it was looked for.
    """
    path = Path(location).expanduser()
    if path.is_dir():
        path = path / TOKENIZER_FILE
        if not path.is_file():
            raise UdfError(
                f"the folder {path.parent.resolve()} holds no {TOKENIZER_FILE}; expected one that the tokenizers "
                "library wrote (slow tokenizers have none: load them in transformers and save_pretrained)"
            )
        return path.resolve()
    if path.is_file():
        return path.resolve()
    if not is_hub_id(location) or location.endswith(".json"):
        raise UdfError(
            f"no tokenizer at {location}: {path.absolute()} does not exist; expected a {TOKENIZER_FILE}, a folder that "
            "holds one, or a Hugging Face hub id"
        )
    path = fetch(location, revision, (TOKENIZER_FILE,)) / TOKENIZER_FILE
    if not path.is_file():
        raise UdfError(
            f"{location}@{revision} on the Hugging Face hub holds no {TOKENIZER_FILE}; give a tokenizer.json instead"
        )
    return path


@lru_cache(maxsize=8)
def _load(path: Path, changed: int) -> tuple[Tokenizer, int]:
    """The tokenizer of a file that was last `changed` then (ns), and one more than its highest token id."""
    if is_gguf(path):
        return _load_gguf(path)
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise UdfError(f"reading {path} needs the tokenizers package: pip install tokenizers") from error
    try:
        tokenizer = Tokenizer.from_file(str(path))
    # The library raises bare Exception for whatever it cannot parse.
    except Exception as error:
        raise UdfError(f"{path} is not a tokenizer.json: {error}") from error
    return _plain(tokenizer)


def _load_gguf(path: Path) -> tuple[Tokenizer, int]:
    """The tokenizer inside a GGUF file, as transformers translates it."""
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise UdfError(f"reading the tokenizer of {path} needs transformers: pip install 'memtax[models]'") from error
    # Alone in a folder, so that nothing else that lies beside it is taken for a part of it.
    with TemporaryDirectory() as alone:
        (Path(alone) / "model.gguf").symlink_to(path)
        try:
            tokenizer = AutoTokenizer.from_pretrained(alone, gguf_file="model.gguf", trust_remote_code=False)
        # As above: a vocabulary that does not fit its merges is a bare Exception, too.
        except Exception as error:
            raise UdfError(f"{path} holds no tokenizer that can be read ({error})") from error
    return _plain(tokenizer.backend_tokenizer)


def _plain(tokenizer: Tokenizer) -> tuple[Tokenizer, int]:
    """`_load`'s answer. What a training script left in the file about the length of a batch's rows is not followed."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, max(tokenizer.get_vocab().values(), default=-1) + 1


def _decode(rows: list[list[int]], location: str) -> list[str]:
    path = find_tokenizer(location)
    with _lock:
        tokenizer, size = _load(path, path.stat().st_mtime_ns)
    highest = max((max(row) for row in rows if row), default=-1)
    if highest >= size:
        # The library would leave the token out without a word.
        raise UdfError(
            f"token id {highest} is beyond the {size} tokens of the tokenizer {location}; the corpus was made with "
            "another"
        )
    return tokenizer.decode_batch(rows, skip_special_tokens=False)
