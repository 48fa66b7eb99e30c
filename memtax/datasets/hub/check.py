"""Holding a split's files to their schema, and finding the faults that published tables are known to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from memtax.datasets.hub.schemas import TYPES, Split
from memtax.datasets.row_keys import RowKeys, read_keys, readable
from memtax.errors import SourceError
from memtax.quoting import literals

DROPPED = "dropped_rows"


@dataclass(frozen=True)
class Checked:
    """A split that can be landed.

    Attributes:
        relation: SQL of its rows, less the repeated ones, with their columns as published.
        types: DuckDB's type of each column.
        n_rows: rows of the files.
        n_repeated: rows left out, since an earlier one has their id and the same content.
        notes: the faults that were found.
    """

    relation: str
    types: dict[str, str]
    n_rows: int
    n_repeated: int
    notes: tuple[str, ...]


def named(split: Split, paths: Sequence[Path]) -> str:
    """What a split is called in errors."""
    return f"split {split.name} of {split.repository} ({paths[0].parent})"


def check(connection: duckdb.DuckDBPyConnection, split: Split, paths: Sequence[Path]) -> Checked:
    """Check the files of a split; of its columns only those that a check is about are read.

    Raises:
        SourceError: a file cannot be read, a column is missing or of another kind, an id is NULL or negative, or rows of one
        id differ.
    """
    where = named(split, paths)
    rows = f"read_parquet([{literals(paths)}])"
    with readable(where):
        described = connection.execute(f"describe from {rows}").fetchall()
    types = {name: kind for name, kind, *_ in described}
    for column, kind in split.published.columns.items():
        if column not in types:
            raise SourceError(f"{where} has the columns {', '.join(types)}, and no {column!r}; it is another dataset")
        if not TYPES[kind].fullmatch(types[column]):
            raise SourceError(f"{where} has {column} as {types[column]}, expected {kind}")
    key = next(iter(split.published.columns))
    with readable(where):
        keys = read_keys(connection, rows, where, key)
        repeated = keys.repeated()
        relation = rows
        if len(repeated):
            _drop_repeated(connection, rows, paths, keys, repeated, key, where)
            places = "select *, file_index as dropped_file, file_row_number as dropped_row from"
            relation = (
                f"(select * exclude (dropped_file, dropped_row) from ({places} {rows}) "  # noqa: S608
                f"anti join {DROPPED} using (dropped_file, dropped_row))"
            )
        notes = _faults(connection, types, relation)
    if len(repeated):
        notes.insert(
            0, f"{len(repeated):,} rows repeat an earlier one and were left out (shards are padded at their end)"
        )
    return Checked(relation, types, len(keys), len(repeated), tuple(notes))


def _drop_repeated(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    paths: Sequence[Path],
    keys: RowKeys,
    repeated: npt.NDArray[np.int64],
    key: str,
    where: str,
) -> None:
    """Fill DROPPED with the places of the repeated rows, which have to be the same as the first of their id."""
    ends = np.cumsum([pq.read_metadata(path).num_rows for path in paths])
    file = np.searchsorted(ends, repeated, side="right")
    place = repeated - np.concatenate(([0], ends))[file]
    connection.register("dropped_places", pa.table({"dropped_file": file, "dropped_row": place}))
    connection.register("repeated_ids", pa.table({"id": np.unique(keys.ids[repeated])}))
    try:
        connection.execute(
            f"create or replace temp table {DROPPED} as select cast(dropped_file as ubigint) as dropped_file, dropped_row "  # noqa: S608
            "from dropped_places"
        )
        other = connection.execute(
            f'select id from (select "{key}" as id, md5(cast(struct_pack(*columns(*)) as varchar)) as digest '  # noqa: S608
            f'from {rows} where "{key}" in (select id from repeated_ids)) '
            "group by id having count(distinct digest) > 1 order by id limit 1"
        ).fetchone()
    finally:
        connection.unregister("dropped_places")
        connection.unregister("repeated_ids")
    if other is not None:
        raise SourceError(
            f"{where} has several rows of {key} {other[0]} that differ; it cannot be told which one holds"
        )


def _faults(connection: duckdb.DuckDBPyConnection, types: dict[str, str], relation: str) -> list[str]:
    """What is wrong with the values, found in one scan."""
    counts: dict[str, str] = {}
    perplexities = [column for column in types if column.endswith("_perplexity")]
    for column in perplexities:
        counts[column] = f'count(*) filter (not ("{column}" > 0))'
    thresholds = [t for t in ("0_8", "0_9") if {f"{t}_snowclones", f"{t}_templates"} <= set(types)]
    for threshold in thresholds:
        for sign in "><":
            counts[threshold + sign] = f'count(*) filter ("{threshold}_templates" {sign} "{threshold}_snowclones")'
    if "loss" in types:
        counts |= {"losses": "count(distinct loss)", "rows": "count(loss)"}
    if not counts:
        return []
    row = connection.execute(f"select {', '.join(counts.values())} from {relation}").fetchone()  # noqa: S608
    assert row is not None
    found = dict(zip(counts, row, strict=True))
    notes = [
        f"{found[column]:,} rows have no {column} (written as -1, or no number): NULL in the marts"
        for column in perplexities
        if found[column]
    ]
    for threshold in thresholds:
        more, less = found[threshold + ">"], found[threshold + "<"]
        if more > less:
            notes.append(
                f"{threshold}_templates exceeds {threshold}_snowclones in {more:,} rows and falls short in {less:,}: the names "
                "are swapped, since textual matches are a subset of semantic ones (the var published_matches_swapped)"
            )
    if "loss" in types and 2 * found["losses"] < found["rows"]:
        notes.append(
            f"loss has {found['losses']:,} values in {found['rows']:,} rows: it is the mean of a batch, and not landed as a "
            "row's loss"
        )
    return notes
