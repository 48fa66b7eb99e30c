"""What the default model of nl_score sees of a text: the slow, obvious reference of native/src/nl_score.cpp.

A text becomes a string of *symbols*: white space is squeezed to one space, every digit is `0`, and what is not ASCII is
one of eight sorts (so that a model never needs to have seen an alphabet), named by control characters. The *shape* is
the same with letters as `a` and `A`, and runs of these and of digits as one. N-grams of both are hashed into buckets,
each with a weight, and the log-odds are the bias plus the mean weight of either. A mean rather than a sum: a phrase that
is repeated says no more than once, and long texts are no surer than short ones, but for the shrinkage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

# Last code point of each range beyond ASCII, and its symbol: "" is left out (U+FFFD marks a character that the window
# cut), \x01 what should not be in text, \x02 double and \x03 single quotation marks, \x04 dashes, \x05 Latin letters,
# \x06 letters of other alphabets, \x08 ideographs and syllables of East Asia, \x07 all other signs.
RANGES = (
    (0x84, "\x01"), (0x85, " "), (0x9F, "\x01"), (0xA0, " "), (0xAA, "\x07"), (0xAB, "\x02"), (0xBA, "\x07"),
    (0xBB, "\x02"), (0xBF, "\x07"), (0xD6, "\x05"), (0xD7, "\x07"), (0xF6, "\x05"), (0xF7, "\x07"), (0x24F, "\x05"),
    (0x167F, "\x06"), (0x1680, " "), (0x1FFF, "\x06"), (0x200A, " "), (0x200F, "\x01"), (0x2015, "\x04"),
    (0x2017, "\x07"), (0x201B, "\x03"), (0x201F, "\x02"), (0x2027, "\x07"), (0x2029, " "), (0x202E, "\x01"),
    (0x202F, " "), (0x205E, "\x07"), (0x205F, " "), (0x2BFF, "\x07"), (0x2E7F, "\x06"), (0x2FFF, "\x08"),
    (0x3000, " "), (0x3002, "\x07"), (0x3004, "\x08"), (0x3020, "\x07"), (0x9FFF, "\x08"), (0xABFF, "\x06"),
    (0xD7FF, "\x08"), (0xF8FF, "\x01"), (0xFAFF, "\x08"), (0xFEFF, "\x06"), (0xFFEF, "\x08"), (0xFFFD, ""),
    (0xFFFF, "\x01"), (0x1EFFF, "\x06"), (0x1FFFF, "\x07"), (0x3FFFF, "\x08"), (0x10FFFF, "\x01"),
)  # fmt: skip
_MULTIPLIER = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio: Fibonacci hashing
_WORD = 2**64 - 1


@dataclass(frozen=True)
class NgramSettings:
    """The shape of an n-gram model.

    Attributes:
        buckets_log2: there are 2 ** buckets_log2 weights.
        character_orders: n-grams of 1 to so many symbols, at most 7.
        shape_orders: the same of the shape.
        shrinkage: so many n-grams of weight 0 are added to every text: short ones stay near the bias.
    """

    buckets_log2: int = 19
    character_orders: int = 5
    shape_orders: int = 6
    shrinkage: float = 20.0


def symbols(text: str) -> str:
    """The symbols of a text; empty for white space alone."""
    found = ""
    for character in text:
        symbol = _symbol(character)
        if symbol != " " or not found.endswith(" "):
            found += symbol
    return "" if found == " " else found


def shape(text_symbols: str) -> str:
    """The shape of a string of symbols."""
    found = ""
    for symbol in text_symbols:
        if "a" <= symbol <= "z" or symbol in "\x05\x06\x08":
            symbol = "a"
        elif "A" <= symbol <= "Z":
            symbol = "A"
        if not (symbol in "aA0" and found.endswith(symbol)):
            found += symbol
    return found


def buckets(string: str, orders: int, stream: int, buckets_log2: int) -> list[int]:
    """The bucket of every n-gram of 1 to `orders` symbols; `stream` is 0 for symbols and 1 for the shape."""
    codes = string.encode("latin-1")
    found = []
    for order in range(1, orders + 1):
        for start in range(len(codes) - order + 1):
            key = int.from_bytes(codes[start : start + order]) | (stream << 3 | order) << 56
            found.append(((key ^ key >> 32) * _MULTIPLIER & _WORD) >> (64 - buckets_log2))
    return found


def log_odds(text: str, weights: np.ndarray, bias: float, settings: NgramSettings) -> float:
    """The log-odds of natural language; NaN where there is no text.

    Args:
        text: any text.
        weights: [2 ** buckets_log2].
        bias: the log-odds of a text that says nothing.
        settings: of the model.
    """
    of_text = symbols(text)
    if not of_text:
        return math.nan
    total = bias
    for stream, (string, orders) in enumerate(
        ((of_text, settings.character_orders), (shape(of_text), settings.shape_orders))
    ):
        found = buckets(string, orders, stream, settings.buckets_log2)
        total += float(np.sum(weights[found], dtype=np.float64)) / (len(found) + settings.shrinkage)
    return total


def _symbol(character: str) -> str:
    point = ord(character)
    if point >= 0x80:
        return next(symbol for last, symbol in RANGES if point <= last)
    if character.isspace():
        return " "
    if point < 0x20 or point == 0x7F:
        return "\x01"
    return "0" if character.isdigit() else character
