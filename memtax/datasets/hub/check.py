"""Holding a split's files to their schema, and finding the faults that published tables are known to have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from memtax.datasets.hub.schemas import TYPES, Split
from memtax.errors import SourceError

DROPPED = "repeated_rows"


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


def check(connection: duckdb.DuckDBPyConnection, split: Split, paths: Sequence[Path]) -> Checked:
    """Check the files of a split.

    Raises:
        SourceError: a file cannot be read, a column is missing or of another kind, an id is NULL or negative, or rows of one
        id differ.
    """
    where = f"split {split.name} of {split.repository} ({paths[0].parent})"
    files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    try:
        described = connection.execute(f"describe from read_parquet([{files}])").fetchall()
    except duckdb.Error as error:
        raise SourceError(f"{where} cannot be read: {str(error).splitlines()[0]}") from error
    types = {name: kind for name, kind, *_ in described}
    for column, kind in split.published.columns.items():
        if column not in types:
            raise SourceError(f"{where} has the columns {', '.join(types)}, and no {column!r}; it is another dataset")
        if not TYPES[kind].fullmatch(types[column]):
            raise SourceError(f"{where} has {column} as {types[column]}, expected {kind}")
    rows = f"read_parquet([{files}], filename = true, file_row_number = true)"
    key = next(iter(split.published.columns))
    n_rows, bad = connection.execute(
        f'select count(*), count(*) filter ("{key}" is null or "{key}" < 0) from {rows}'  # noqa: S608
    ).fetchone()  # type: ignore[misc]
    if n_rows == 0:
        raise SourceError(f"{where} holds no rows; there is nothing to land")
    if bad:
        raise SourceError(f"{where} has {bad:,} rows whose {key} is no number from 0; the files may be damaged")
    n_repeated = _find_repeated(connection, rows, key, where)
    relation = rows
    if n_repeated:
        relation = f"(from {rows} anti join {DROPPED} using (filename, file_row_number))"
    notes = _faults(connection, split, types, relation)
    if n_repeated:
        notes.insert(0, f"{n_repeated:,} rows repeat an earlier one and were left out (shards are padded at their end)")
    kept = f"(select * exclude (filename, file_row_number) from {relation})"  # noqa: S608
    return Checked(kept, types, n_rows, n_repeated, tuple(notes))


def _find_repeated(connection: duckdb.DuckDBPyConnection, rows: str, key: str, where: str) -> int:
    """Fill DROPPED with the places of rows whose id an earlier row has."""
    connection.execute(
        f'create or replace temp table repeated_ids as select "{key}" from {rows} group by all having count(*) > 1'  # noqa: S608
    )
    if _count(connection, "repeated_ids") == 0:
        return 0
    connection.execute(
        f'create or replace temp table {DROPPED} as select "{key}" as id, filename, file_row_number, '  # noqa: S608
        "row_number() over (partition by id order by filename, file_row_number) as place, "
        "md5(cast(values_of as varchar)) as digest from (select *, struct_pack(*columns(* exclude (filename, "
        f'file_row_number))) as values_of from {rows} semi join repeated_ids using ("{key}"))'
    )
    other = connection.execute(
        f"select id from {DROPPED} group by id having count(distinct digest) > 1 order by id limit 1"  # noqa: S608
    ).fetchone()
    if other is not None:
        raise SourceError(
            f"{where} has several rows of {key} {other[0]} that differ; it cannot be told which one holds"
        )
    connection.execute(f"delete from {DROPPED} where place = 1")  # noqa: S608
    return connection.execute(f"select count(*) from {DROPPED}").fetchone()[0]  # type: ignore[index]  # noqa: S608


def _faults(connection: duckdb.DuckDBPyConnection, split: Split, types: dict[str, str], relation: str) -> list[str]:
    notes = []
    for column in types:
        if column.endswith("_perplexity"):
            missing = _count(connection, f'{relation} where not ("{column}" > 0)')
            if missing:
                notes.append(f"{missing:,} rows have no {column} (written as -1, or no number): NULL in the marts")
    for threshold in ("0_8", "0_9"):
        semantic, textual = f"{threshold}_snowclones", f"{threshold}_templates"
        if {semantic, textual} <= set(types):
            more = _count(connection, f'{relation} where "{textual}" > "{semantic}"')
            less = _count(connection, f'{relation} where "{textual}" < "{semantic}"')
            if more > less:
                notes.append(
                    f"{textual} exceeds {semantic} in {more:,} rows and falls short in {less:,}: the names are swapped, since "
                    "textual matches are a subset of semantic ones (the var published_matches_swapped)"
                )
    if "loss" in types:
        n_losses, n_rows = connection.execute(
            f"select count(distinct loss), count(loss) from {relation}"  # noqa: S608
        ).fetchone()  # type: ignore[misc]
        if 2 * n_losses < n_rows:
            notes.append(
                f"loss has {n_losses:,} values in {n_rows:,} rows: it is the mean of a batch, and not landed as a row's loss"
            )
    return notes


def _count(connection: duckdb.DuckDBPyConnection, rest: str) -> int:
    return connection.execute(f"select count(*) from {rest}").fetchone()[0]  # type: ignore[index]  # noqa: S608
