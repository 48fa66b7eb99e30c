"""Text, packed into sequences of one length as Pythia's corpus is: documents are encoded, an end-of-document token
follows each, and the stream is cut every `sequence_length` tokens, across documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from memtax.corpus.batch import TOKEN_TYPES, TokenBatch
from memtax.corpus.source import DEFAULT_SEQUENCE_LENGTH, Source, SourceOptions
from memtax.corpus.tokenizer import CorpusTokenizer
from memtax.errors import SourceError

# Tried in this order; the first that the tokenizer has is put after each document.
END_OF_DOCUMENT = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "[EOS]", "<|eos|>")
# Encoded in one call: enough for the tokenizer to spread over threads, little enough to keep memory flat.
CHARACTERS_AT_ONCE = 1 << 20
# A plain text file is one document, however long. It is encoded in pieces of at least this many characters, cut where a
# line begins with something other than white space: byte-level tokenizers of the GPT family cut there anyway.
PIECE_CHARACTERS = 1 << 20
PIECE_END = re.compile(r"\n(?=\S)")

Piece = tuple[str, bool]  # text, and whether its document ends with it


class PackedText(Source):
    """JSONL or plain text files and the tokenizer that packs them."""

    def __init__(self, paths: Sequence[Path], options: SourceOptions, format_name: str) -> None:
        if options.tokenizer is None:
            raise SourceError(
                f"{paths[0].name} is text, so --tokenizer is needed: a tokenizer.json, a folder or a hub id"
            )
        self.format = format_name
        self.paths = tuple(paths)
        self._tokenizer = options.tokenizer
        self._length = options.sequence_length or DEFAULT_SEQUENCE_LENGTH
        self._field = options.text_field
        self._end_name, self._end_id = end_of_document(options.tokenizer, options.end_of_document)
        self._size = sum(path.stat().st_size for path in paths)
        self._type = TOKEN_TYPES["uint16" if options.tokenizer.vocabulary_size <= 1 << 16 else "uint32"]
        self.shape = {
            "format": format_name,
            "tokenizer": options.tokenizer.checksum,
            "sequence_length": self._length,
            "end_of_document": self._end_id,
            "text_field": self._field if format_name == "jsonl" else None,
        }

    def stored_type(self) -> np.dtype:
        """See Source."""
        return self._type

    def batches(self) -> Iterator[TokenBatch]:
        """See Source."""
        documents = tokens = 0
        rest = np.empty(0, self._type)
        for encoded, ended in self._encoded():
            documents += ended
            tokens += len(encoded)
            rest = np.concatenate((rest, encoded))
            rows = len(rest) // self._length
            if rows:
                yield TokenBatch(rest[: rows * self._length], np.arange(rows + 1, dtype=np.int64) * self._length)
                rest = rest[rows * self._length :]
        if tokens < self._length:
            raise SourceError(
                f"{self.paths[0].name}{' …' if len(self.paths) > 1 else ''} gives {tokens:,} tokens, which do not fill "
                f"one sequence of {self._length:,}; add text, or say a smaller --sequence-length"
            )
        self.notes = (
            f"packed {documents:,} documents into sequences of {self._length:,} tokens, {self._end_name} after each; "
            f"the last {len(rest):,} tokens did not fill a sequence and were dropped",
        )

    def _encoded(self) -> Iterator[tuple[np.ndarray, int]]:
        """Tokens of some pieces, ends of documents included, and how many documents ended in them."""
        encode = self._tokenizer.tokenizer.encode_batch_fast
        for pieces in _grouped(self._pieces()):
            found = []
            for encoding, (_, ends) in zip(
                encode([text for text, _ in pieces], add_special_tokens=False), pieces, strict=True
            ):
                found.append(np.array(encoding.ids, self._type))
                if ends:
                    found.append(np.array([self._end_id], self._type))
            yield np.concatenate(found), sum(ends for _, ends in pieces)

    def _pieces(self) -> Iterator[Piece]:
        read = 0
        for path in self.paths:
            pieces = _json_documents(path, self._field) if self.format == "jsonl" else _text_document(path)
            for piece, n_bytes in pieces:
                read += n_bytes
                self.share_read = read / self._size
                yield piece


def open_source(paths: Sequence[Path], options: SourceOptions, format_name: str) -> PackedText:
    """Open text files as one stream of documents: one a line of JSONL, or one a text file.

    Raises:
        SourceError: no tokenizer, or one without an end-of-document token.
    """
    return PackedText(paths, options, format_name)


def end_of_document(tokenizer: CorpusTokenizer, asked: str | None) -> tuple[str, int]:
    """The token that follows each document, and its id.

    Raises:
        SourceError: the tokenizer does not have it, or none was asked for and it has none of the usual ones.
    """
    for name in (asked,) if asked is not None else END_OF_DOCUMENT:
        token_id = tokenizer.tokenizer.token_to_id(name)
        if token_id is not None:
            return name, token_id
    looked_for = repr(asked) if asked is not None else " or ".join(END_OF_DOCUMENT)
    raise SourceError(
        f"the tokenizer {tokenizer.location} has no end-of-document token {looked_for}; name one that it has with "
        "--end-of-document"
    )


def _grouped(pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    characters = 0
    for piece in pieces:
        group.append(piece)
        characters += len(piece[0]) + 1
        if characters >= CHARACTERS_AT_ONCE:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _json_documents(path: Path, field: str) -> Iterator[tuple[Piece, int]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.isspace():
                continue
            try:
                document = json.loads(line)
            except ValueError as error:  # bad JSON or bad UTF-8
                raise SourceError(f"{path}, line {number}: not JSON ({error}); expected one document a line") from error
            text = document.get(field) if isinstance(document, dict) else None
            if not isinstance(text, str):
                raise SourceError(
                    f"{path}, line {number}: expected an object with the text in the field {field!r}, got "
                    f"{line[:60].decode(errors='replace')!r}; name another field with --text-field"
                )
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise SourceError(f"{path}, line {number}: the text holds half a surrogate pair ({error})") from error
            yield (text, True), len(line)


def _text_document(path: Path) -> Iterator[tuple[Piece, int]]:
    held = ""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            while chunk := file.read(PIECE_CHARACTERS):
                held += chunk
                cut = max((found.end() for found in PIECE_END.finditer(held)), default=0)
                if cut:
                    yield (held[:cut], False), len(held[:cut].encode())
                    held = held[cut:]
    except UnicodeDecodeError as error:
        raise SourceError(f"{path} is not UTF-8 ({error}); convert it, for instance with iconv") from error
    yield (held, True), len(held.encode())
