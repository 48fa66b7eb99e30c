"""What `memtax count` is asked: texts or token ids, made into runs of tokens that a corpus can be searched for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from memtax.corpus.context import corpus_tokenizer
from memtax.corpus.occurrences import check_window
from memtax.corpus.shards import Corpus
from memtax.errors import StoreError


@dataclass(frozen=True)
class Asked:
    """One run of tokens to look for; `text` is None where it was given as ids."""

    text: str | None
    tokens: list[int]


def parse_token_ids(text: str) -> list[int]:
    """Token ids separated by commas or white space, in brackets or not.

    Raises:
        StoreError: something in it is no whole number.
    """
    stripped = text.strip().removeprefix("[").removesuffix("]")
    try:
        return [int(piece) for piece in stripped.replace(",", " ").split()]
    except ValueError as error:
        raise StoreError(f"got {text!r}, and token ids are whole numbers between commas, like 12,7,4051") from error


def parse_lines(lines: Iterable[str]) -> list[str | list[int]]:
    """One question a line: a JSON list of token ids, or else the line is a text; empty lines are skipped.

    Raises:
        StoreError: there is none.
    """
    questions = [_parse_line(line.rstrip("\r\n")) for line in lines if line.strip()]
    if not questions:
        raise StoreError("the file asks for nothing; expected one text, or one JSON list of token ids, a line")
    return questions


def tokenize(corpus: Corpus, questions: list[str | list[int]]) -> list[Asked]:
    """The questions as runs of tokens, texts by the corpus' own tokenizer.

    Raises:
        StoreError: the corpus has no tokenizer and a question is a text, or a run is not of 8 to 128 token ids.
        SourceError, UdfError: the tokenizer is not what it was.
    """
    texts = [question for question in questions if isinstance(question, str)]
    encoded = iter(_encode(corpus, texts) if texts else [])
    asked = [
        Asked(question, next(encoded)) if isinstance(question, str) else Asked(None, question) for question in questions
    ]
    for number, one in enumerate(asked, start=1):
        try:
            check_window(one.tokens)
        except StoreError as error:
            if len(asked) == 1:
                raise
            raise StoreError(f"question {number} of {len(asked)}: {error}") from error
    return asked


def _parse_line(line: str) -> str | list[int]:
    try:
        parsed = json.loads(line) if line.lstrip().startswith("[") else None
    except ValueError:
        return line
    if isinstance(parsed, list) and all(isinstance(token, int) and not isinstance(token, bool) for token in parsed):
        return parsed
    return line


def _encode(corpus: Corpus, texts: list[str]) -> list[list[int]]:
    loaded = corpus_tokenizer(corpus)
    if loaded is None:
        raise StoreError(
            f"corpus {corpus.corpus!r} has no tokenizer, so text cannot be looked for in it; give token ids with --tokens, "
            f"or register its tokenizer: memtax ingest corpus {corpus.corpus} SOURCE --tokenizer TOKENIZER"
        )
    return [encoding.ids for encoding in loaded.tokenizer.encode_batch(texts, add_special_tokens=False)]
