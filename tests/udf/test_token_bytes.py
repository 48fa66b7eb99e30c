"""Tokens as bytes: what the edges of a window leave of a character."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from udf.token_bytes import TokenBytes

TEXT = "é模🦊\ufffd x模é🦊"


def throughout() -> Tokenizer:
    """A token for each byte, and one for the first two bytes of 模."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    first, second = (made for made in _letters("模")[:2])
    vocabulary = {letter: number for number, letter in enumerate([*letters, first + second])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [(first, second)]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def falls_back() -> Tokenizer:
    """Whole characters, and a token for each byte of the others, as Llama has them."""
    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)} | {"é": 256, "x": 257, " ": 258, "<unk>": 259}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True, unk_token="<unk>"))
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def words() -> Tokenizer:
    tokenizer = Tokenizer(models.WordLevel({"é模🦊": 0, "x": 1, "[UNK]": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def _letters(text: str) -> str:
    ((piece, _),) = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    return piece


@pytest.mark.parametrize("make", [throughout, falls_back])
def test_every_edge_of_a_text(make):
    tokenizer = make()
    ids = tokenizer.encode(TEXT, add_special_tokens=False).ids
    found = TokenBytes(tokenizer)
    assert b"".join(map(found.of, ids)) == TEXT.encode()
    for edge in range(len(ids) + 1):
        data = b"".join(map(found.of, ids[:edge]))
        whole = data.decode(errors="ignore")
        assert found.without_cut_end(tokenizer.decode(ids[:edge]), ids[:edge]) == (whole, data[len(whole.encode()) :])
        rest = TEXT.encode()[len(data) :]
        whole = rest.decode(errors="ignore")
        cut = rest[: len(rest) - len(whole.encode())]
        assert found.without_cut_start(tokenizer.decode(ids[edge:]), ids[edge:]) == (whole, cut)


def test_bytes_become_one_token_where_there_is_one():
    tokenizer = throughout()
    found = TokenBytes(tokenizer)
    start = "模".encode()[:2]
    (one,) = found.tokens(start) or []
    assert found.of(one) == start
    assert [found.of(token) for token in found.tokens(start[::-1]) or []] == [start[1:], start[:1]]
    assert TokenBytes(falls_back()).tokens(start) == [*start]
    assert found.tokens(b"") == TokenBytes(words()).tokens(b"") == []


def test_a_tokenizer_without_bytes_knows_none():
    found = TokenBytes(words())
    assert (found.of(0), found.tokens(b"x")) == (b"", None)
    assert found.without_cut_end("x\ufffd", [1]) == found.without_cut_start("x\ufffd", [1]) == ("x\ufffd", b"")
