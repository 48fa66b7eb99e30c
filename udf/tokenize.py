"""A window in the tokens of another tokenizer, with the border between prompt and continuation kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from udf.detokenize import load_tokenizer
from udf.registry import udf
from udf.token_bytes import TokenBytes

if TYPE_CHECKING:
    from tokenizers import Encoding

_TOKENS = pa.list_(pa.uint32())
_WINDOW = pa.struct([pa.field("tokens", _TOKENS), pa.field("prompt_length", pa.int32())])


@udf([_TOKENS, _TOKENS, pa.string(), pa.string(), pa.string(), pa.string()], _WINDOW)
def tokenize_window(
    prompt: pa.Array,
    tokens: pa.Array,
    prompt_text: pa.Array,
    text: pa.Array,
    tokenizer: pa.Array,
    other_tokenizer: pa.Array,
) -> pa.Array:
    """Encode each window's text as one piece, and say how many of its tokens lie wholly within the prompt.

    A token that reaches over the border counts as the continuation's, so that no part of the continuation goes unscored.

    A window may begin, its prompt end and its continuation end within a character. Text has U+FFFD there, which no model was
    asked for, so that the character's bytes are spelled in the other tokenizer's tokens for bytes, and counted where they
    lie. Where that has none, what is cut at the window's ends is left out, and one at the border is the continuation's.

    Args:
        prompt: token ids with which the window begins.
        tokens: token ids of prompt and continuation.
        prompt_text: what `detokenize` makes of the prompt.
        text: what it makes of the window.
        tokenizer: of these tokens: a tokenizer.json, a folder that holds one, a GGUF file, or a hub id.
        other_tokenizer: the one to encode with.

    Returns:
        struct per row: tokens, `UINTEGER[]`, without the special tokens that a tokenizer adds around a text; and
        prompt_length, NULL where no token lies within the prompt. NULL where an argument is.

    Raises:
        UdfError: there is no such tokenizer.
    """
    columns = (prompt, tokens, prompt_text, text, tokenizer, other_tokenizer)
    rows = [*zip(*(column.to_pylist() for column in columns), strict=True)]
    found: list[dict[str, object] | None] = [None] * len(rows)
    for places in {row[4:] for row in rows if None not in row}:
        chosen = [at for at, row in enumerate(rows) if row[4:] == places and None not in row]
        ours, encoder = TokenBytes(load_tokenizer(places[0])), load_tokenizer(places[1])
        theirs = TokenBytes(encoder)
        prompts = [_without_cuts(rows[at][2], rows[at][0], ours) for at in chosen]
        windows = [_without_cuts(rows[at][3], rows[at][1], ours) for at in chosen]
        encodings = encoder.encode_batch([body for body, _, _ in windows], add_special_tokens=False)
        for at, (begun, _, cut), (body, start, end), encoding in zip(chosen, prompts, windows, encodings, strict=True):
            ids, within = _parted(encoding, body, _shared(begun, body), cut, theirs)
            before, after = theirs.tokens(start) or [], theirs.tokens(end) or []
            found[at] = {"tokens": [*before, *ids, *after], "prompt_length": (len(before) + within) or None}
    return pa.array(found, _WINDOW)


def _without_cuts(text: str, tokens: list[int], ours: TokenBytes) -> tuple[str, bytes, bytes]:
    """A text's whole characters, and the bytes of those that its start and its end cut."""
    text, end = ours.without_cut_end(text, tokens)
    text, start = ours.without_cut_start(text, tokens)
    return text, start, end


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (this, that) in pairs if this != that), min(len(one), len(other)))


def _parted(encoding: Encoding, body: str, border: int, cut: bytes, theirs: TokenBytes) -> tuple[list[int], int]:
    """The tokens of a text, and how many lie before the character at `border` and the bytes of it that `cut` has."""
    ids, offsets = encoding.ids, encoding.offsets
    within = next((i for i, (_, end) in enumerate(offsets) if end > border), len(ids))
    if not cut or not body[border : border + 1].encode().startswith(cut):
        return ids, within
    behind = next((i for i, (begin, _) in enumerate(offsets) if begin > border), len(ids))
    if within == behind:  # a space, which it makes no token of
        return ids, within
    parts = [theirs.of(token) for token in ids[within:behind]]
    begin, end = offsets[within][0], offsets[behind - 1][1]
    if b"".join(parts) != body[begin:end].encode():
        return ids, within
    left = len(body[begin:border].encode()) + len(cut)
    while len(parts[0]) <= left:
        within, left = within + 1, left - len(parts.pop(0))
    if not left:
        return ids, within
    first, second = theirs.tokens(parts[0][:left]), theirs.tokens(parts[0][left:])
    if first is None or second is None:
        return ids, within
    return [*ids[:within], *first, *second, *ids[within + 1 :]], within + len(first)
