"""Places of a corpus as text: a run of tokens with what stands before and after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import duckdb

from memtax.corpus.reader import read_sequences
from memtax.corpus.shards import Corpus
from memtax.corpus.tokenizer import CorpusTokenizer, load_corpus_tokenizer
from memtax.errors import SourceError

TOKENS_AROUND = 16
_PLACES_AT_ONCE = 1_024


@dataclass(frozen=True)
class Place:
    """A run of tokens where it stands, decoded (or as ids, where the corpus has no tokenizer); empty if not read."""

    sequence_id: int
    token_offset: int
    before: str = ""
    match: str = ""
    after: str = ""


def corpus_tokenizer(corpus: Corpus) -> CorpusTokenizer | None:
    """The tokenizer of a corpus, None if it has none.

    Raises:
        UdfError: it is no longer where it was.
        SourceError: it is no longer what it was.
    """
    if corpus.tokenizer is None:
        return None
    tokenizer = load_corpus_tokenizer(corpus.tokenizer)
    if corpus.tokenizer_checksum not in (None, tokenizer.checksum):
        raise SourceError(
            f"the tokenizer {tokenizer.location} has changed since corpus {corpus.corpus!r} was made with it; put back the "
            "file that was there"
        )
    return tokenizer


def places_in_context(
    connection: duckdb.DuckDBPyConnection,
    corpus: Corpus,
    places: Sequence[tuple[int, int]],
    lengths: Sequence[int],
    tokens_around: int = TOKENS_AROUND,
) -> Iterator[Place]:
    """Each of `places` with its surroundings, in their order.

    Args:
        connection: the store, open for reading.
        corpus: the corpus.
        places: (sequence_id, token_offset) of each run.
        lengths: tokens of each run.
        tokens_around: tokens to show before and after, as far as the sequence has them.

    Raises:
        StoreError, SourceError, UdfError: the corpus, its files or its tokenizer cannot be read.
    """
    loaded = corpus_tokenizer(corpus) if places else None
    for begin in range(0, len(places), _PLACES_AT_ONCE):
        some = places[begin : begin + _PLACES_AT_ONCE]
        sequences = read_sequences(connection, corpus.corpus, [sequence_id for sequence_id, _ in some])
        for (sequence_id, offset), length in zip(some, lengths[begin:], strict=False):
            tokens = sequences[sequence_id][max(0, offset - tokens_around) : offset + length + tokens_around].tolist()
            lead = min(offset, tokens_around)
            yield Place(sequence_id, offset, *_in_three(tokens, lead, lead + length, _decoder(loaded)))


def _decoder(loaded: CorpusTokenizer | None) -> Callable[[list[int]], str]:
    def decode(tokens: list[int]) -> str:
        # The library leaves out ids beyond its vocabulary without a word.
        if loaded is None or max(tokens, default=0) >= loaded.vocabulary_size:
            return "".join(f"{token} " for token in tokens)
        return loaded.tokenizer.decode(tokens, skip_special_tokens=False)

    return decode


def _in_three(tokens: list[int], start: int, end: int, decode: Callable[[list[int]], str]) -> tuple[str, str, str]:
    """The text before, of and after tokens[start:end]."""
    head, middle, whole = decode(tokens[:start]), decode(tokens[:end]), decode(tokens)
    # What the pieces become together has the spaces between them; where a character spans a border they do not fit.
    if whole.startswith(middle) and middle.startswith(head):
        return head, middle[len(head) :], whole[len(middle) :]
    return head, decode(tokens[start:end]), decode(tokens[end:])
