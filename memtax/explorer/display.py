"""Values and text as pages show them: markup in a text is escaped, and what cannot be seen in it is written out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from memtax.plain_text import printable

PROMPT_SHOWN, CONTINUATION_SHOWN = 70, 140


class Piece(NamedTuple):
    """A run of text; `mark` is empty for text as it stands, `end` for a line end or tab, `escape` for what is written out."""

    text: str
    mark: str = ""


def pieces(text: str, *, line_ends: bool = True) -> Iterator[Piece]:
    """A text in runs: plain ones, and escapes of what cannot be seen or is not to be acted upon (`\\x1b`, `\\u202e`).

    Args:
        text: any text.
        line_ends: end lines where the text does, after a mark that says so; else the mark alone.
    """
    plain = ""
    for character in text:
        shown = printable(character)
        if shown == character:
            plain += character
            continue
        if plain:
            yield Piece(plain)
            plain = ""
        if character == "\n":
            yield Piece("↵", "end")
            plain = "\n" if line_ends else ""
        elif character == "\t":
            yield Piece("→", "end")
            plain = "\t"
        else:
            yield Piece(shown, "escape")
    if plain:
        yield Piece(plain)


def visible(text: str | None, *, line_ends: bool = True) -> Markup:
    """Text as markup in which nothing of it is markup."""
    return Markup("").join(_marked(piece) for piece in pieces(text or "", line_ends=line_ends))


def breakable(name: str) -> Markup:
    """A column's name, which may be broken where its words end."""
    return Markup("_<wbr>").join(escape(printable(word)) for word in name.split("_"))


def tail(text: str | None, length: int = PROMPT_SHOWN) -> str:
    """The end of a long text."""
    text = text or ""
    return text if len(text) <= length else "…" + text[-length:]


def head(text: str | None, length: int = CONTINUATION_SHOWN) -> str:
    """The beginning of a long text."""
    text = text or ""
    return text if len(text) <= length else text[:length] + "…"


def value(of: Any) -> str:
    """A feature's value in words or figures; digits are grouped."""
    if of is None:
        return "–"
    if isinstance(of, bool):
        return "yes" if of else "no"
    if isinstance(of, int):
        return f"{of:,}"
    if isinstance(of, float):
        return _real(of)
    return str(of)


def share(part: int, whole: int) -> str:
    """A share in per cent."""
    return f"{part / whole:.1%}" if whole else "–"


def _real(number: float) -> str:
    if not math.isfinite(number):
        return str(number)
    if number == 0:
        return "0"
    # Four digits; without an exponent as long as that can be read.
    if 1e-4 <= abs(number) < 1e7:
        return f"{number:,.4g}" if abs(number) < 1e4 else f"{number:,.0f}"
    return f"{number:.3e}"


def _marked(piece: Piece) -> Markup:
    if not piece.mark:
        return escape(piece.text)
    return Markup('<span class="{}">{}</span>').format(piece.mark, piece.text)
