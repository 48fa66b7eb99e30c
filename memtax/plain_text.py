"""Text from a corpus as it may be shown: whatever could drive a terminal is written out instead."""

from __future__ import annotations

import unicodedata

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Controls, invisible formatting (it can reverse what is read), lone surrogates, and line ends of other kinds.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def printable(text: str, keep: str = "") -> str:
    """The text with every character that a terminal might act upon escaped, as `\\n`, `\\x1b` or `\\u202e`.

    Args:
        text: any text.
        keep: characters to leave as they are; line ends, for what is shown as a block.
    """
    return "".join(_shown(character, keep) for character in text)


def _shown(character: str, keep: str) -> str:
    if character in keep or unicodedata.category(character) not in _UNSAFE:
        return character
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
