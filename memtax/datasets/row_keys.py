"""The keys of a source's rows, held in memory alone: whether they are numbers from 0, and which rows repeat an earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from memtax.errors import SourceError
from memtax.quoting import identifier

BATCH_ROWS = 122_880
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowKeys:
    """The keys of a source, 8 bytes a row (16 with offsets), in the order of its rows.

    A source can be larger than the memory; what it is told apart by is not: 5 M rows take 40 MB.

    Attributes:
        ids: (n,) of the sequences.
        offsets: (n,) of the windows in them; None where all are 0.
    """

    ids: Ints
    offsets: Ints | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def ascends(self) -> bool:
        """Whether each key is larger than the one before, so that none can be repeated."""
        rises = self.ids[1:] > self.ids[:-1]
        if self.offsets is not None:
            rises |= (self.ids[1:] == self.ids[:-1]) & (self.offsets[1:] > self.offsets[:-1])
        return bool(rises.all())

    @cached_property
    def order(self) -> Ints:
        """(n,) the rows in ascending order of their keys, equal ones in that of the source."""
        if self.ascends:
            return np.arange(len(self))
        if self.offsets is None:
            return np.argsort(self.ids, kind="stable")
        return np.lexsort((self.offsets, self.ids))

    def repeated(self) -> Ints:
        """The rows, ascending, whose key an earlier row has."""
        return np.sort(self.order[1:][self._repeats()]) if self._any_repeats() else np.empty(0, np.int64)

    def first_repeated(self) -> tuple[int, int] | None:
        """The first row whose key comes again, and where it does."""
        if not self._any_repeats():
            return None
        places = np.flatnonzero(self._repeats())
        first = places[np.argmin(self.order[places])]
        return int(self.order[first]), int(self.order[first + 1])

    def _any_repeats(self) -> bool:
        if self.ascends:
            return False
        if self.offsets is None:
            # Values alone sort several times as fast as with their places, and mostly nothing is repeated.
            values = np.sort(self.ids)
            return bool((values[1:] == values[:-1]).any())
        return bool(self._repeats().any())

    def _repeats(self) -> npt.NDArray[np.bool_]:
        ids = self.ids[self.order]
        repeats = ids[1:] == ids[:-1]
        if self.offsets is not None:
            offsets = self.offsets[self.order]
            repeats &= offsets[1:] == offsets[:-1]
        return repeats


@contextmanager
def readable(where: str) -> Iterator[None]:
    """What DuckDB says of a source's files, as an error of ours: they are read, page by page, where their rows are landed.

    Raises:
        SourceError: naming the source.
    """
    try:
        yield
    except duckdb.Error as error:
        raise SourceError(f"{where} cannot be read: {str(error).splitlines()[0]}") from error


def read_keys(
    connection: duckdb.DuckDBPyConnection, relation: str, where: str, id_column: str, offset_column: str | None = None
) -> RowKeys:
    """Read the keys of a relation's rows.

    Args:
        connection: to read with.
        relation: SQL of the rows.
        where: what the source is called in errors.
        id_column: its column of sequence ids.
        offset_column: its column of token offsets, if there is one.

    Raises:
        SourceError: there are no rows, or an id or offset is NULL or negative: naming the first such row.
    """
    columns = [id_column] if offset_column is None else [id_column, offset_column]
    listed = ", ".join(f"cast({identifier(name)} as bigint)" for name in columns)
    reader = connection.execute(f"select {listed} from {relation}").to_arrow_reader(BATCH_ROWS)  # noqa: S608
    parts: list[list[Ints]] = [[] for _ in columns]
    done = 0
    for batch in reader:
        for name, column, part in zip(columns, batch.columns, parts, strict=True):
            part.append(_numbers(name, column, where, done))
        done += batch.num_rows
    if done == 0:
        raise SourceError(f"{where} holds no rows; there is nothing to land")
    return RowKeys(*(np.concatenate(part) for part in parts))


def _numbers(name: str, column: pa.Array, where: str, done: int) -> Ints:
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        raise SourceError(f"{where} has {name} None in row {done + row}; expected a number from 0")
    # The batch goes; what is kept is a copy.
    values = column.to_numpy().copy()
    if len(values) and values.min() < 0:
        row = int(np.argmax(values < 0))
        raise SourceError(f"{where} has {name} {values[row]} in row {done + row}; expected a number from 0")
    return values
