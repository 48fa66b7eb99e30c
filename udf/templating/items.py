"""A text cut into the items that templating compares: words, numbers, runs of white space, single other characters.

Items are compared as text. An item that can stand in a series (a number, a letter, a weekday, …) also has readings,
one per kind of series, so that two items of one kind have a difference.
"""

from __future__ import annotations

import re
from typing import NamedTuple

WHITE_SPACE = " \t\n\r\f\v"
# Kinds of series, in the order in which they are tried.
KINDS = ("number", "decimal", "hexadecimal", "small letter", "capital letter", "name", "roman numeral")
NUMBER, DECIMAL, HEXADECIMAL, SMALL, CAPITAL, NAME, ROMAN = range(len(KINDS))

# Decimals are read in millionths and long numbers by their last digits, so that every value and every difference is
# exact in 64 bits (and in a double); a longer fraction is read as two whole numbers.
DECIMAL_SCALE = 10**6
_FRACTION_DIGITS, _WHOLE_DIGITS = 6, 9
_NUMBER_DIGITS, _HEXADECIMAL_DIGITS = 15, 12

# Characters beyond ASCII count as letters: what repeats inside words is found by comparing characters.
_PREFIXED_HEX = r"(?:0[xX]|U\+|&#x)[0-9A-Fa-f]+|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}"
# A minus is a sign unless it joins what is before it to the number (`2001-02-03`, `x-1`, `f(x)-1`).
_SIGN = r"(?:(?<![0-9A-Za-z_)\]\x80-\U0010ffff-])-(?!0[xX]))?"
_DECIMAL = rf"(?<![0-9.]){_SIGN}[0-9]{{1,{_WHOLE_DIGITS}}}\.[0-9]{{1,{_FRACTION_DIGITS}}}(?![0-9]|\.[0-9])"
_REST = rf"{_SIGN}[0-9]+|[A-Za-z\x80-\U0010ffff]+|[ \t\n\r\f\v]+|."
_BARE_HEX = r"(?<![0-9A-Za-z])[0-9A-Fa-f]{2,}(?![0-9A-Za-z])"
_ITEM = re.compile(f"{_PREFIXED_HEX}|{_DECIMAL}|{_REST}", re.DOTALL)
_ITEM_OR_BARE_HEX = re.compile(f"(?:{_PREFIXED_HEX})|{_BARE_HEX}|{_REST}", re.DOTALL)
_MIXED = re.compile(r"(?<![0-9A-Za-z])(?:[0-9]+[A-Fa-f]|[A-Fa-f]+[0-9])[0-9A-Fa-f]*(?![0-9A-Za-z])")

# Names of one series follow each other; the series lie apart, so that no step leads from one into another.
_SERIES = (
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    (
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ),
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
)
_APART = 1000
_MONTHS, _SHORT_MONTHS = 2, 3
NAMES = {name: series * _APART + place for series, names in enumerate(_SERIES) for place, name in enumerate(names)}
# "May" is both the long and the short name, so months are one series, whichever way they are written.
NAMES |= {name: _MONTHS * _APART + place for place, name in enumerate(_SERIES[_SHORT_MONTHS])}
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_ROMAN_NUMERAL = re.compile(r"c{0,3}(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})")


class Item(NamedTuple):
    """One item.

    Attributes:
        text: what is compared; any run of white space is one space.
        size: its weight in a share of the text: its characters, but 1 for a run of white space, as a line is no more
            templated for being indented.
        length: the characters of the text that it takes up.
        readings: its value in each kind of series (an index of `KINDS`) that it can belong to.
    """

    text: str
    size: int
    length: int
    readings: dict[int, int]


def split(text: str, *, bare_hexadecimal: bool = False) -> list[Item]:
    """The items of a text, in order; nothing of the text is left out.

    With `bare_hexadecimal`, words of two or more hexadecimal digits are numbers to the base 16 although no prefix
    says so, and there are no decimals.
    """
    pieces = (_ITEM_OR_BARE_HEX if bare_hexadecimal else _ITEM).findall(text)
    items = []
    for piece in pieces:
        if piece[0] in WHITE_SPACE:
            items.append(Item(" ", 1, len(piece), {}))
        else:
            items.append(Item(piece, len(piece), len(piece), _readings(piece, bare_hexadecimal)))
    return items


def has_mixed_hexadecimal(text: str) -> bool:
    """Whether some word without a prefix can only be a number to the base 16 (`9A`, `f0`): a reason to read all so."""
    return _MIXED.search(text) is not None


def _readings(piece: str, bare_hexadecimal: bool) -> dict[int, int]:
    for prefix in ("0x", "0X", "U+", "&#x", "\\x", "\\u"):
        if piece.startswith(prefix) and len(piece) > len(prefix):
            return {HEXADECIMAL: int(piece[len(prefix) :][-_HEXADECIMAL_DIGITS:], 16)}
    if bare_hexadecimal and len(piece) > 1 and all(character in "0123456789abcdefABCDEF" for character in piece):
        return {HEXADECIMAL: int(piece[-_HEXADECIMAL_DIGITS:], 16)}
    sign, digits = (-1, piece[1:]) if piece[0] == "-" else (1, piece)
    if "0" <= digits[:1] <= "9":
        if "." in digits:
            whole, fraction = digits.split(".")
            return {DECIMAL: sign * (int(whole) * DECIMAL_SCALE + int(fraction.ljust(_FRACTION_DIGITS, "0")))}
        return {NUMBER: sign * int(digits[-_NUMBER_DIGITS:])}
    if not (piece.isascii() and piece.isalpha()):
        return {}
    readings = {}
    lower = piece.lower()
    if len(piece) == 1:
        readings[SMALL if piece == lower else CAPITAL] = ord(lower)
    if lower in NAMES:
        readings[NAME] = NAMES[lower]
    if _ROMAN_NUMERAL.fullmatch(lower):
        readings[ROMAN] = _roman_value(lower)
    return readings


def _roman_value(numeral: str) -> int:
    digits = [_ROMAN_DIGITS[letter] for letter in numeral]
    return sum(-digit if digit < after else digit for digit, after in zip(digits, [*digits[1:], 0], strict=True))
