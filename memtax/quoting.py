"""Names and texts that come from outside, as SQL: the one place where they are quoted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def identifier(name: str) -> str:
    """The name of a table or a column."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """A text or the path of a file, where DuckDB takes no bound value."""
    return "'" + str(text).replace("'", "''") + "'"


def literals(texts: Iterable[str | Path]) -> str:
    """Several, with commas between them."""
    return ", ".join(map(literal, texts))
