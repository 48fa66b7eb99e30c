"""Other evaluations' schemas, mapped by a small YAML file: which column holds what, and where the window's tokens lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from memtax.datasets.published_source import ColumnNames, ScoreColumn
from memtax.errors import SourceError
from memtax.quoting import identifier

KEYS = ("sequence_id", "tokens", "token_span", "token_offset", "scores")


@dataclass(frozen=True)
class Mapping:
    """How a source names what memtax needs.

    Attributes:
        sequence_id: the column with the sequence's row in its corpus.
        tokens: the column with token ids, or several that are joined in order (prompt and continuation, say).
        token_span: first and last + 1 of the window among those tokens; None for all of them.
        token_offset: the column with the window's place in its sequence, or a number that holds of all rows.
        scores: columns of scores.
    """

    sequence_id: str
    tokens: tuple[str, ...] = ()
    token_span: tuple[int, int] | None = None
    token_offset: str | int = 0
    scores: tuple[ScoreColumn, ...] = field(default_factory=tuple)

    @property
    def names(self) -> ColumnNames:
        """The names of the columns in `relation`: they say how each was made, so that another mapping is another source."""
        span = "[{}:{}]".format(*self.token_span) if self.token_span else ""
        tokens = "+".join(self.tokens) + span if self.tokens else None
        return ColumnNames(self.sequence_id, tokens, f"offset {self.token_offset}")

    def relation(self, reader: str) -> str:
        """SQL of the mapped rows of `reader`."""
        names = self.names
        offset = str(self.token_offset) if isinstance(self.token_offset, int) else identifier(self.token_offset)
        columns = [identifier(self.sequence_id), f"cast({offset} as integer) as {identifier(str(names.token_offset))}"]
        if names.tokens is not None:
            tokens = " || ".join(identifier(column) for column in self.tokens)
            span = f"[{self.token_span[0] + 1}:{self.token_span[1]}]" if self.token_span else ""
            columns.append(f"cast(({tokens}){span} as uinteger[]) as {identifier(names.tokens)}")
        columns += [identifier(score.column) for score in self.scores]
        return f"(select {', '.join(columns)} from {reader})"  # noqa: S608


def read_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file.

    Raises:
        SourceError: it is not YAML, has a key that means nothing here, or a value of another kind.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise SourceError(f"the mapping {path} cannot be read: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("sequence_id"), str):
        raise SourceError(f"the mapping {path} needs sequence_id: the name of the column; docs/ingest.md shows one")
    unknown = [str(key) for key in content if key not in KEYS]
    if unknown:
        raise SourceError(f"the mapping {path} has {', '.join(unknown)}; it may have {', '.join(KEYS)}")
    return Mapping(
        content["sequence_id"],
        _tokens(path, content.get("tokens")),
        _span(path, content.get("token_span")),
        _offset(path, content.get("token_offset", 0)),
        _scores(path, content.get("scores") or {}),
    )


def _tokens(path: Path, value: Any) -> tuple[str, ...]:
    values: Sequence[Any] = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(column, str) for column in values):
        raise SourceError(f"the mapping {path} has tokens: {value!r}; expected a column, or a list of columns to join")
    return tuple(values)


def _span(path: Path, value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    whole = isinstance(value, list) and len(value) == 2 and all(type(number) is int for number in value)
    if not whole or not 0 <= value[0] < value[1]:
        raise SourceError(f"the mapping {path} has token_span: {value!r}; expected [first, last + 1], as [0, 64]")
    return value[0], value[1]


def _offset(path: Path, value: Any) -> str | int:
    if isinstance(value, str) or (type(value) is int and value >= 0):
        return value
    raise SourceError(f"the mapping {path} has token_offset: {value!r}; expected a column, or a number from 0")


def _scores(path: Path, value: Any) -> tuple[ScoreColumn, ...]:
    if not isinstance(value, dict):
        raise SourceError(f"the mapping {path} has scores: {value!r}; expected COLUMN: MODEL or COLUMN: MODEL@REVISION")
    return tuple(ScoreColumn.parse(f"{column}={model}") for column, model in value.items())
