"""SQL in the making: text with values in it, run with the values bound, shown with the values written out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

Bound = str | int | float | Decimal | bool | None


@dataclass(frozen=True)
class Value:
    """A value inside a statement: text, a number, a flag or nothing."""

    value: Bound


@dataclass(frozen=True)
class Sql:
    """A piece of SQL; pieces add up.

    Attributes:
        parts: text that is SQL, and values that are bound.
    """

    parts: tuple[str | Value, ...]

    def __add__(self, other: Sql | str) -> Sql:
        return Sql((*self.parts, *(other.parts if isinstance(other, Sql) else (other,))))

    @property
    def text(self) -> str:
        """The statement with a mark in place of each value."""
        return "".join("?" if isinstance(part, Value) else part for part in self.parts)

    @property
    def parameters(self) -> list[Bound]:
        """The values, in the order of their marks."""
        return [part.value for part in self.parts if isinstance(part, Value)]

    @property
    def readable(self) -> str:
        """The statement with its values written out: what a person copies, and what gives the same rows."""
        return "".join(literal(part.value) if isinstance(part, Value) else part for part in self.parts)


def sql(*parts: str | Value | Sql) -> Sql:
    """The parts as one piece."""
    flat: list[str | Value] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Sql) else (part,))
    return Sql(tuple(flat))


def joined(between: str, pieces: Iterable[Sql]) -> Sql:
    """The pieces with the same SQL between each two."""
    parts: list[str | Value] = []
    for number, piece in enumerate(pieces):
        parts.extend(((between,) if number else ()) + piece.parts)
    return Sql(tuple(parts))


def literal(value: Bound) -> str:
    """A value as SQL. What cannot be seen, or could drive a terminal, is written as its code point."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Without quotes it would be a decimal, which is rounded on its way to a double.
        return f"'{value!r}'::double"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    pieces, run = [], ""
    for character in value:
        if unicodedata.category(character)[0] == "C" or unicodedata.category(character) in ("Zl", "Zp"):
            pieces += ([f"'{run}'"] if run else []) + [f"chr({ord(character)})"]
            run = ""
        else:
            run += "''" if character == "'" else character
    if run or not pieces:
        pieces.append(f"'{run}'")
    return pieces[0] if len(pieces) == 1 else f"({' || '.join(pieces)})"
