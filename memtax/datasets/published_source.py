"""Files of evaluated sequences as others publish them: which columns hold what, and rows that can be relied on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from memtax.errors import SourceError

ID_COLUMNS = ("sequence_id", "index", "Index", "sequence")
TOKEN_COLUMNS = ("tokens", "Tokens")
OFFSET_COLUMNS = ("token_offset",)
READERS = {
    ".parquet": "read_parquet({files})",
    ".jsonl": "read_json({files}, format = 'newline_delimited', sample_size = -1)",
    ".ndjson": "read_json({files}, format = 'newline_delimited', sample_size = -1)",
    ".csv": "read_csv({files}, header = true, sample_size = -1)",
}
INTEGER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
INTEGER_LIST = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\[\d*\]")
NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*")
# Scores are kept under names of our own, whatever the source calls them.
SCORE = "score_{}"


@dataclass(frozen=True)
class ScoreColumn:
    """A column of scores, and whose they are."""

    column: str
    model: str
    revision: str = "main"

    @classmethod
    def parse(cls, text: str) -> ScoreColumn:
        """From COLUMN=MODEL[@REVISION].

        Raises:
            SourceError: it is not of that form.
        """
        column, equals, model = text.partition("=")
        model, _, revision = model.partition("@")
        if not (column and equals and model) or text.endswith("@"):
            raise SourceError(f"--score-column {text!r} is not COLUMN=MODEL or COLUMN=MODEL@REVISION")
        return cls(column, model, revision or "main")


@dataclass(frozen=True)
class ColumnNames:
    """Which column holds what; None means the usual names, or (tokens, offset) no such column."""

    sequence_id: str | None = None
    tokens: str | None = None
    token_offset: str | None = None


def read_published(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    paths: Sequence[Path],
    names: ColumnNames,
    scores: Sequence[ScoreColumn],
    length: int,
    relation: str | None = None,
) -> tuple[ColumnNames, list[str]]:
    """Read files into the temporary `table`, ordered by window, and refuse what no window can be.

    The table's columns: window_rank and source_row (0-based), sequence_id BIGINT, token_offset INTEGER, tokens
    UINTEGER[] (NULL throughout where the source has none), and score_0, score_1, … DOUBLE as `scores` lists them.

    Returns:
        The columns that were found, and the source's numeric columns that nothing was made of.

    Raises:
        SourceError: naming the file, the row and what is wrong with it.
    """
    reader = relation or relation_of_files(paths)
    where = str(paths[0]) + (" …" if len(paths) > 1 else "")
    try:
        described = connection.execute(f"describe from {reader}").fetchall()
        types = {name: kind for name, kind, *_ in described}
        found = _find_columns(types, names, scores, where)
        connection.execute(f"create or replace temp table {table} as {_select(reader, found, types, scores)}")
    except duckdb.Error as error:
        raise SourceError(f"{where} cannot be read: {str(error).splitlines()[0]}") from error
    _require_sound_rows(connection, table, where, found, scores, length)
    used = {found.sequence_id, found.tokens, found.token_offset, *(score.column for score in scores)}
    return found, [name for name, kind in types.items() if name not in used and NUMBER.fullmatch(kind)]


def relation_of_files(paths: Sequence[Path]) -> str:
    """SQL that reads the files, all of one kind by their names.

    Raises:
        SourceError: there is none, one is missing or empty, or they are of no kind that is read.
    """
    if not paths:
        raise SourceError("no source was given; name at least one file")
    suffixes = {path.suffix.lower() for path in paths}
    for path in paths:
        if not path.is_file():
            raise SourceError(f"{path} does not exist or is not a file; check the path")
        if path.stat().st_size == 0:
            raise SourceError(f"{path} is empty; it may not have been downloaded completely")
    if len(suffixes) > 1 or not suffixes <= set(READERS):
        raise SourceError(
            f"got files named {', '.join(sorted(suffixes))}; evaluated sequences are read from {', '.join(READERS)}, "
            "one kind at a time"
        )
    files = ", ".join(_literal(str(path)) for path in paths)
    return READERS[suffixes.pop()].format(files=f"[{files}]")


def _find_columns(types: dict[str, str], names: ColumnNames, scores: Sequence[ScoreColumn], where: str) -> ColumnNames:
    there = f"{where} has the columns {', '.join(types)}"

    def find(asked: str | None, usual: Sequence[str], what: str) -> str | None:
        if asked is not None and asked not in types:
            raise SourceError(f"{there}, and no {asked!r} for the {what}")
        return asked or next((name for name in usual if name in types), None)

    sequence_id = find(names.sequence_id, ID_COLUMNS, "sequence ids")
    if sequence_id is None:
        raise SourceError(f"{there}; expected one of {', '.join(ID_COLUMNS)}, or --id-column")
    tokens = find(names.tokens, TOKEN_COLUMNS, "tokens")
    token_offset = find(names.token_offset, OFFSET_COLUMNS, "token offsets")
    for name in (sequence_id, token_offset):
        if name is not None and not INTEGER.fullmatch(types[name]):
            raise SourceError(f"{where} has {name} as {types[name]}; expected whole numbers")
    if tokens is not None and types[tokens] != "VARCHAR" and not INTEGER_LIST.fullmatch(types[tokens]):
        raise SourceError(f"{where} has {tokens} as {types[tokens]}; expected lists of token ids")
    for score in scores:
        if score.column not in types:
            raise SourceError(f"{there}, and no {score.column!r} for the scores of {score.model}")
        if not NUMBER.fullmatch(types[score.column]):
            raise SourceError(
                f"{where} has {score.column} as {types[score.column]}; expected scores, numbers from 0 to 1"
            )
    whose = [(score.model, score.revision) for score in scores]
    for model, revision in whose:
        if whose.count((model, revision)) > 1:
            raise SourceError(
                f"two --score-column are of {model}@{revision}; a sequence has one score by a model and revision"
            )
    return ColumnNames(sequence_id, tokens, token_offset)


def _select(reader: str, found: ColumnNames, types: dict[str, str], scores: Sequence[ScoreColumn]) -> str:
    assert found.sequence_id is not None
    tokens = "cast(null as uinteger[])"
    if found.tokens is not None:
        tokens = f"try_cast({_quoted(found.tokens)} as uinteger[])"
    columns = [
        "row_number() over () - 1 as source_row",
        f"cast({_quoted(found.sequence_id)} as bigint) as sequence_id",
        f"cast({_quoted(found.token_offset) if found.token_offset else '0'} as integer) as token_offset",
        f"{tokens} as tokens",
        *(f"cast({_quoted(score.column)} as double) as {SCORE.format(i)}" for i, score in enumerate(scores)),
    ]
    order = "order by sequence_id, token_offset, source_row"
    rows = f"select {', '.join(columns)} from {reader}"  # noqa: S608
    return f"select *, row_number() over ({order}) - 1 as window_rank from ({rows}) {order}"  # noqa: S608


def _require_sound_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    where: str,
    found: ColumnNames,
    scores: Sequence[ScoreColumn],
    length: int,
) -> None:
    def first(condition: str, shown: str) -> tuple | None:
        return connection.execute(
            f"select source_row, {shown} from {table} where {condition} order by source_row limit 1"  # noqa: S608
        ).fetchone()

    if connection.execute(f"select count(*) from {table}").fetchone() == (0,):  # noqa: S608
        raise SourceError(f"{where} holds no rows; there is nothing to land")
    if row := first("sequence_id is null or sequence_id < 0", "sequence_id"):
        raise SourceError(f"{where} has {found.sequence_id} {row[1]} in row {row[0]}; expected a number from 0")
    if row := first("token_offset is null or token_offset < 0", "token_offset"):
        raise SourceError(f"{where} has {found.token_offset} {row[1]} in row {row[0]}; expected a number from 0")
    if found.tokens is not None:
        if row := first("tokens is null or list_contains(list_transform(tokens, t -> t is null), true)", "sequence_id"):
            raise SourceError(
                f"{where} has {found.tokens} that are not a list of token ids in row {row[0]} (sequence {row[1]}); "
                f"expected {length} whole numbers from 0, in a CSV written as [1, 2, …]"
            )
        if row := first(f"len(tokens) <> {int(length)}", "len(tokens)"):
            raise SourceError(
                f"{where} has {row[1]} tokens in row {row[0]}, expected {length} (the vars prompt_length + "
                "continuation_length)"
            )
    twice = connection.execute(
        f"select sequence_id, token_offset, list(source_row order by source_row)[:2] from {table} "  # noqa: S608
        "group by all having count(*) > 1 order by min(source_row) limit 1"
    ).fetchone()
    if twice is not None:
        raise SourceError(
            f"{where} has sequence {twice[0]} at offset {twice[1]} in rows {twice[2][0]} and {twice[2][1]}; each "
            "window may come once: drop the repeated rows"
        )
    for index, score in enumerate(scores):
        name = SCORE.format(index)
        if row := first(f"not ({name} between 0 and 1)", name):
            raise SourceError(
                f"{where} has {score.column} {row[1]} in row {row[0]}; a memorization score is from 0 to 1"
            )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
