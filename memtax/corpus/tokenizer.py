"""The tokenizer of a corpus, identified by the content of its tokenizer.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from memtax.errors import SourceError

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class CorpusTokenizer:
    """A tokenizer as the store registers it.

    Attributes:
        location: absolute path of its tokenizer.json, or its hub id.
        checksum: sha256 of its tokenizer.json.
        vocabulary_size: one more than its largest token id.
        tokenizer: the tokenizer itself.
    """

    location: str
    checksum: str
    vocabulary_size: int
    tokenizer: Tokenizer = field(repr=False, compare=False)


def load_corpus_tokenizer(location: str) -> CorpusTokenizer:
    """Load the tokenizer at `location`: a tokenizer.json, a folder that holds one, or a hub id.

    Raises:
        UdfError: there is none, or it cannot be read.
        SourceError: it has no tokens.
    """
    from udf.detokenize import find_tokenizer, load_tokenizer

    path = find_tokenizer(location)
    tokenizer = load_tokenizer(location)
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    if not vocabulary:
        raise SourceError(f"the tokenizer {path} has an empty vocabulary; train it, or choose another")
    # What came from the hub lies in a cache that may be elsewhere tomorrow, so its hub id is what is kept.
    registered = str(path) if Path(location).expanduser().exists() else location
    return CorpusTokenizer(registered, sha256(path.read_bytes()).hexdigest(), max(vocabulary.values()) + 1, tokenizer)
