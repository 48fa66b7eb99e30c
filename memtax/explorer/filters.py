"""Conditions on features, as somebody writes them (column, operator, value), held to the columns that there are."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from memtax.errors import SelectionError
from memtax.explorer.catalogue import FLAG, NUMBER, Column
from memtax.explorer.sql import Sql, Value, sql
from memtax.quoting import identifier

# Operator -> (how it reads, the kinds of column that it takes; none for all).
OPERATORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "eq": ("=", ()),
    "ne": ("≠", ()),
    "lt": ("<", (NUMBER,)),
    "le": ("≤", (NUMBER,)),
    "gt": (">", (NUMBER,)),
    "ge": ("≥", (NUMBER,)),
    "has": ("contains", ("text",)),
    "null": ("is not known", ()),
    "known": ("is known", ()),
}
WITHOUT_VALUE = ("null", "known")
_COMPARED = {"eq": " = ", "ne": " <> ", "lt": " < ", "le": " <= ", "gt": " > ", "ge": " >= "}
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# Digits as the pages group them. Any other comma may be a decimal one, which is not to be read as another number.
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")


@dataclass(frozen=True)
class Filter:
    """One condition as it stands in the address: `value` is empty where the operator takes none."""

    column: str
    operator: str
    value: str = ""

    @property
    def words(self) -> str:
        """The condition as a person reads it."""
        sign = OPERATORS[self.operator][0] if self.operator in OPERATORS else self.operator
        return f"{self.column} {sign} {self.value}".rstrip()


def condition(wanted: Filter, columns: Mapping[str, Column]) -> Sql:
    """The condition in SQL.

    Raises:
        SelectionError: there is no such column or operator, they do not go together, or the value is not of the column's type.
    """
    column = require_column(wanted.column, columns)
    if wanted.operator not in OPERATORS:
        raise SelectionError(f"there is no operator {wanted.operator!r}; there are {', '.join(OPERATORS)}")
    sign, kinds = OPERATORS[wanted.operator]
    if kinds and column.kind not in kinds:
        takes = [sign for sign, kinds in OPERATORS.values() if not kinds or column.kind in kinds]
        raise SelectionError(
            f"{column.name} is {column.type}, which {sign!r} does not take; it takes {', '.join(takes)}"
        )
    name = identifier(column.name)
    if wanted.operator == "null":
        return sql(f"{name} is null")
    if wanted.operator == "known":
        return sql(f"{name} is not null")
    value = Value(parsed(wanted.value, column))
    if wanted.operator == "has":
        return sql(f"contains(lower({name}), lower(", value, "))")
    return sql(name + _COMPARED[wanted.operator], value)


def require_column(name: str, columns: Mapping[str, Column]) -> Column:
    """The column of that name.

    Raises:
        SelectionError: there is none.
    """
    if name not in columns:
        raise SelectionError(f"features has no column {name!r}; it has {', '.join(columns)}")
    return columns[name]


def ungrouped(text: str) -> str:
    """A number as Python reads it: without spaces around it, and without the commas where they group its digits."""
    text = text.strip()
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def parsed(text: str, column: Column) -> str | int | float | bool:
    """A value that somebody wrote, in the column's type; digits may be grouped, as the pages show them.

    Raises:
        SelectionError: it is not of that type.
    """
    if column.kind == FLAG:
        if text.strip().lower() not in _FLAGS:
            raise SelectionError(f"{column.name} is true or false, and not {text!r}")
        return _FLAGS[text.strip().lower()]
    if column.kind != NUMBER:
        return text
    plain = ungrouped(text)
    try:
        number = int(plain)
    except ValueError:
        try:
            real = float(plain)
        except ValueError:
            hint = "; its decimals come after a point" if "," in text else ""
            raise SelectionError(f"{column.name} is a number ({column.type}), and {text!r} is none{hint}") from None
        if math.isnan(real):
            raise SelectionError(f"{text!r} is a number to compare with nothing; give another") from None
        return real
    # Beyond 64 bits a whole number compares as well, and binds, as the nearest double.
    if -(2**63) <= number < 2**63:
        return number
    try:
        return float(number)
    except OverflowError:
        raise SelectionError(f"{text!r} is too large for a number of {column.name}") from None
