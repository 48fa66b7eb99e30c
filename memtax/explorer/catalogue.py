"""What there is to choose from: the columns of `features`, its datasets, models and categories, and how many rows each has."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb

from memtax import store
from memtax.explorer import statements
from memtax.model_order import Model, in_order

NUMBER, FLAG, TEXT = "number", "flag", "text"
_KINDS = {"BOOLEAN": FLAG, "VARCHAR": TEXT}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "FLOAT", "DOUBLE")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Column:
    """A column of `features` that rows can be filtered and sorted by: scalars are, lists are not."""

    name: str
    type: str
    kind: str
    description: str = ""


@dataclass(frozen=True)
class Group:
    """How many rows of `features` share these values."""

    dataset: str
    corpus: str
    model: str
    revision: str
    category: str | None
    memorized: bool | None
    rows: int


@dataclass
class Tally:
    """How many rows one dataset and model have.

    Attributes:
        rows, memorized, known: all of them; those that are memorized; those of which that is known.
        by_category: memorized ones of each category.
    """

    rows: int = 0
    memorized: int = 0
    known: int = 0
    by_category: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Catalogue:
    """What one state of the store offers.

    Attributes:
        columns: of `features`, by name, in its order.
        has_text: whether `feat_sequence__text` is there.
        groups: the rows, counted.
        models: (model, revision) from the smallest model to the largest, and from its first checkpoint to its last.
        corpora: in which a sequence can be looked up; those of which `features` has no rows too.
    """

    columns: dict[str, Column]
    has_text: bool
    groups: Sequence[Group]
    models: Sequence[Model]
    datasets: Sequence[str] = field(default=())
    categories: Sequence[str] = field(default=())
    corpora: Sequence[str] = field(default=())

    @cached_property
    def tallies(self) -> Mapping[tuple[str, Model], Tally]:
        """Of each dataset and model that have rows. Counted in one pass, and once: a run has hundreds of checkpoints."""
        found: dict[tuple[str, Model], Tally] = {}
        for group in self.groups:
            tally = found.setdefault((group.dataset, (group.model, group.revision)), Tally())
            tally.rows += group.rows
            tally.known += group.rows if group.memorized is not None else 0
            if group.memorized:
                tally.memorized += group.rows
                tally.by_category[group.category or UNKNOWN] += group.rows
        return found

    def count(self, dataset: str | None, model: Model | None, category: str | None, memorized: str | None) -> int:
        """Rows that have these values; None for any."""
        return sum(
            group.rows
            for group in self.groups
            if dataset in (None, group.dataset)
            and model in (None, (group.model, group.revision))
            and category in (None, group.category or UNKNOWN)
            and memorized in (None, words_of_flag(group.memorized))
        )

    def model_labelled(self, label: str) -> Model | None:
        """The model that a page calls `label`; None if there is none."""
        return next((model for model in self.models if label_of(model) == label), None)


def label_of(model: Model) -> str:
    """A model and its revision, as everywhere in memtax."""
    return f"{model[0]}@{model[1]}"


def words_of_flag(flag: bool | None) -> str:
    """A flag as addresses and pages write it."""
    return UNKNOWN if flag is None else "yes" if flag else "no"


def read_catalogue(connection: duckdb.DuckDBPyConnection, described: dict[str, str]) -> Catalogue:
    """Look at the store.

    Args:
        connection: the store, open for reading.
        described: what each column is.

    Raises:
        StoreError: `features` is not there yet, or `dim_models` is of another version of memtax.
    """
    store.require_table(connection, "main", "features", "run dbt run first")
    columns = {
        name: Column(name, type_, _KINDS.get(type_, NUMBER), described.get(name, ""))
        for name, type_ in connection.execute(statements.COLUMNS).fetchall()
        if type_ in _KINDS or type_ in _NUMBERS or type_.startswith("DECIMAL")
    }
    groups = [Group(*row) for row in connection.execute(statements.GROUPS).fetchall()]
    return Catalogue(
        columns,
        store.has_table(connection, "main", "feat_sequence__text"),
        groups,
        in_order(connection, {(group.model, group.revision) for group in groups}),
        sorted({group.dataset for group in groups}),
        sorted({group.category or UNKNOWN for group in groups}),
        sorted({group.corpus for group in groups} | _corpora(connection)),
    )


def _corpora(connection: duckdb.DuckDBPyConnection) -> set[str]:
    if not store.has_table(connection, "main", "dim_corpora"):
        return set()
    return {corpus for (corpus,) in connection.execute(statements.CORPORA).fetchall()}


class CatalogueCache:
    """The catalogue of a database file, read again only when the file has changed: counting all rows takes a while."""

    def __init__(self, path: Path, described: dict[str, str]) -> None:
        self._path = path
        self._described = described
        self._lock = threading.Lock()
        self._state: object = None
        self._catalogue: Catalogue | None = None

    def get(self, connection: duckdb.DuckDBPyConnection) -> Catalogue:
        """The catalogue of the store as it is now.

        Raises:
            StoreError: see `read_catalogue`.
        """
        state = _state_of(self._path)
        with self._lock:
            if self._catalogue is None or state != self._state:
                self._catalogue = read_catalogue(connection, self._described)
                self._state = state
            return self._catalogue


def _state_of(path: Path) -> object:
    files = (path, path.with_name(path.name + ".wal"))
    found = [file.stat() for file in files if file.is_file()]
    return [(stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in found]
