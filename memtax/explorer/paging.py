"""Pages by key: each begins after the last row of the one before, so that the millionth costs what the first does."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from memtax.errors import SelectionError
from memtax.explorer.catalogue import Column
from memtax.explorer.sql import Sql, Value, joined, sql
from memtax.explorer.statements import KEYS
from memtax.quoting import identifier

# As `written` writes one; the widest have 38 digits.
_DECIMAL = re.compile(r"-?[0-9]{1,38}(\.[0-9]{1,38})?")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Order:
    """By one column, or by none, and then by the keys.

    Attributes:
        column: its name.
        descending: of that column; what is not known comes last either way.
        backwards: read from the end, for the page before.
    """

    column: str | None = None
    descending: bool = False
    backwards: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """What a place in this order is made of."""
        return KEYS if self.column is None else (self.column, *KEYS)

    @property
    def sql(self) -> Sql:
        """What ORDER BY takes."""
        return joined(", ", self._terms)

    @property
    def _terms(self) -> list[Sql]:
        towards, nulls = (" desc", " nulls first") if self.backwards else ("", " nulls last")
        keys = [sql(identifier(key) + towards) for key in KEYS if key != self.column]
        if self.column is None:
            return keys
        falling = " desc" if self.descending != self.backwards else ""
        return [sql(identifier(self.column) + falling + nulls), *keys]

    @property
    def leading(self) -> Sql:
        """ORDER BY of the first column alone."""
        return self._terms[0]

    def up_to(self, edge: Any) -> Sql | None:
        """A condition that the rows up to one with `edge` in the first column fulfil; None where it would say nothing."""
        if edge is None:
            return None
        name = identifier(self.columns[0])
        falling = self.backwards != (self.descending and self.column is not None)
        bound = sql(name + (" >= " if falling else " <= "), Value(edge))
        # Read from the end, what is not known comes before all else.
        return sql("(", bound, f" or {name} is null)") if self.backwards and self.column is not None else bound

    def beyond(self, place: Sequence[Any]) -> Sql:
        """The condition on rows that come after a place (before it, backwards)."""
        values = dict(zip(self.columns, place, strict=True))
        further = " < " if self.backwards else " > "
        keys = _after([key for key in KEYS if key != self.column], values, further)
        if self.column is None:
            return keys
        name, value = identifier(self.column), values[self.column]
        if value is None:
            unknown = sql(f"({name} is null and ", keys, ")")
            return sql("(", unknown, f" or {name} is not null)") if self.backwards else unknown
        falling = " < " if self.descending != self.backwards else " > "
        ahead = sql(f"{name}{falling}", Value(value), f" or ({name} = ", Value(value), " and ", keys, ")")
        # Unknown ones come after all others, so that only a page forwards has them ahead.
        return sql("(", ahead, ")") if self.backwards else sql("(", ahead, f" or {name} is null)")


def written(place: Sequence[Any]) -> str:
    """A place as addresses hold it."""
    # A decimal as text: as a double, two that differ in their last digits would be one place.
    plain = [format(value, "f") if isinstance(value, Decimal) else value for value in place]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def place_of(text: str, order: Order, columns: Mapping[str, Column]) -> list[Any]:
    """The place that an address holds.

    Raises:
        SelectionError: it is none in this order.
    """
    try:
        place = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or len(place) != len(order.columns):
        raise SelectionError("the address names a page that does not go with its order; begin at the first page")
    for number, (name, value) in enumerate(zip(order.columns, place, strict=True)):
        if columns[name].type.startswith("DECIMAL") and isinstance(value, str) and _DECIMAL.fullmatch(value):
            place[number] = Decimal(value)
        elif not _fits(value, columns[name].kind, nullable=name not in KEYS):
            raise SelectionError(f"the address names a page that does not go with {name}; begin at the first page")
    return place


def _fits(value: object, kind: str, *, nullable: bool) -> bool:
    if value is None:
        return nullable
    if kind == "number":
        return isinstance(value, float) or (
            isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
        )
    if kind == "flag":
        return isinstance(value, bool)
    # JSON can write half a surrogate pair, which no text in a store can hold.
    return isinstance(value, str) and _SURROGATE.search(value) is None


def _after(keys: Sequence[str], values: Mapping[str, Any], further: str) -> Sql:
    """(a, b, …) > (x, y, …), written out: DuckDB compares single columns many times as fast as rows of them."""
    name, value = identifier(keys[0]), Value(values[keys[0]])
    if len(keys) == 1:
        return sql(name + further, value)
    rest = _after(keys[1:], values, further)
    return sql(f"({name}{further}", value, f" or ({name} = ", value, " and ", rest, "))")
