"""The bytes that a tokenizer's tokens stand for: where an edge of a window cuts a character, its text does not have them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# What stands in a text for bytes that are no character; of a cut one, three at most are there.
_MARK = "\ufffd"
_MOST = 3
_NAMED_BYTE = re.compile("<0x([0-9A-F]{2})>")
# GPT-2's alphabet: what is printable stands for itself, the other bytes for the characters from 256 on, in their order.
_PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
_REST = [byte for byte in range(256) if byte not in _PRINTABLE]
_LETTERS = {byte: chr(byte) for byte in _PRINTABLE} | {byte: chr(256 + at) for at, byte in enumerate(_REST)}
_BYTES = {letter: byte for byte, letter in _LETTERS.items()}


class TokenBytes:
    """Tokens as bytes, and bytes as tokens, of a tokenizer that has tokens for single bytes.

    Two kinds do: those that are made of bytes throughout (GPT-2's, GPT-NeoX's), and those that fall back to them (Llama's).
    Any other cuts no character, and says so with b"" and None.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        decoder = tokenizer.decoder
        # Asked of the decoder itself, which may be one of a sequence.
        self._throughout = decoder is not None and decoder.decode([_LETTERS[0x0A]]) == "\n"
        self._falls_back = decoder is not None and not self._throughout and decoder.decode(["<0x41>"]) == "A"

    def of(self, token: int) -> bytes:
        """What one token stands for; b"" where that is not known."""
        name = self._tokenizer.id_to_token(token) or ""
        if self._throughout:
            return (
                bytes(_BYTES[letter] for letter in name) if all(letter in _BYTES for letter in name) else name.encode()
            )
        if not self._falls_back:
            return b""
        found = _NAMED_BYTE.fullmatch(name)
        return bytes.fromhex(found[1]) if found else name.encode()

    def tokens(self, data: bytes) -> list[int] | None:
        """One token for all of `data` if there is one, else one for each byte; None where a byte has none."""
        whole = [data] if self._throughout and data else []
        for pieces in (whole, [bytes([byte]) for byte in data]):
            asked = [self._tokenizer.token_to_id(self._name(piece)) for piece in pieces]
            found = [token for token in asked if token is not None]
            if len(found) == len(asked) and (found or not data):
                return found
        return None

    def without_cut_end(self, text: str, tokens: list[int]) -> tuple[str, bytes]:
        """A text without the U+FFFD of a character that its end cuts; and the one to three bytes that are there of it.

        Args:
            text: what the tokenizer makes of `tokens`.
            tokens: token ids.
        """
        data = self._edge(reversed(tokens), at_end=True)
        for n, byte in enumerate(reversed(data), start=1):
            if not 0x80 <= byte < 0xC0:
                length = 2 if 0xC2 <= byte < 0xE0 else 3 if 0xE0 <= byte < 0xF0 else 4 if 0xF0 <= byte < 0xF5 else 1
                if length <= n:
                    break
                if self._throughout:
                    return text.removesuffix(_MARK), data[-n:]
                return text[: len(text) - len(data)] + data[:-n].decode(errors="replace"), data[-n:]
        return text, b""

    def without_cut_start(self, text: str, tokens: list[int]) -> tuple[str, bytes]:
        """The same of a character that began before the text."""
        data = self._edge(tokens, at_end=False)
        n = next((at for at, byte in enumerate(data) if not 0x80 <= byte < 0xC0), len(data))
        if self._throughout:
            return text[len(text[:n]) - len(text[:n].lstrip(_MARK)) :], data[:n]
        return (data[n:].decode(errors="replace") + text[len(data) :] if n else text), data[:n]

    def _name(self, data: bytes) -> str:
        if self._throughout:
            return "".join(_LETTERS[byte] for byte in data)
        return f"<0x{data.hex().upper()}>" if self._falls_back else ""

    def _edge(self, tokens: Iterable[int], *, at_end: bool) -> bytes:
        """The bytes at one end, of tokens in order from there, that decide whether it cuts a character.

        Of a tokenizer that falls back they are a whole run of tokens for bytes: it makes U+FFFD of all of them, unless they are
        whole characters together.
        """
        data = b""
        for token in tokens:
            if not self._throughout and not _NAMED_BYTE.fullmatch(self._tokenizer.id_to_token(token) or ""):
                break
            data = self.of(token) + data if at_end else data + self.of(token)
            if self._throughout and len(data) >= _MOST:
                return data[-_MOST:] if at_end else data[:_MOST]
        return data
