"""Files of evaluated sequences as others publish them: which columns hold what, and rows that can be relied on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from memtax.datasets.row_keys import RowKeys, read_keys, readable
from memtax.errors import SourceError
from memtax.quoting import identifier, literals

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


@dataclass(frozen=True)
class PublishedRows:
    """The rows of a source, still in its files: what is landed streams from there.

    Attributes:
        relation: SQL of the rows: sequence_id BIGINT, token_offset INTEGER, tokens UINTEGER[] (NULL where they are no list
            of token ids, and throughout where the source has none), and score_0, score_1, … DOUBLE as the scores are listed.
        where: what the source is called in errors.
        found: which column holds what.
        unused: the source's numeric columns that nothing was made of.
        keys: of the rows, each of which is unique.
    """

    relation: str
    where: str
    found: ColumnNames
    unused: list[str]
    keys: RowKeys


def read_published(
    connection: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    names: ColumnNames,
    scores: Sequence[ScoreColumn],
    relation: str | None = None,
) -> PublishedRows:
    """Find the columns of files, and refuse keys that no windows can have; of the rest nothing is read.

    Raises:
        SourceError: naming the file, the row and what is wrong with it.
    """
    reader = relation or relation_of_files(paths)
    where = str(paths[0]) + (" …" if len(paths) > 1 else "")
    with readable(where):
        described = connection.execute(f"describe from {reader}").fetchall()
        types = {name: kind for name, kind, *_ in described}
        found = _find_columns(types, names, scores, where)
        assert found.sequence_id is not None
        keys = read_keys(connection, reader, where, found.sequence_id, found.token_offset)
    if twice := keys.first_repeated():
        offset = 0 if keys.offsets is None else keys.offsets[twice[0]]
        raise SourceError(
            f"{where} has sequence {keys.ids[twice[0]]} at offset {offset} in rows {twice[0]} and {twice[1]}; each "
            "window may come once: drop the repeated rows"
        )
    used = {found.sequence_id, found.tokens, found.token_offset, *(score.column for score in scores)}
    unused = [name for name, kind in types.items() if name not in used and NUMBER.fullmatch(kind)]
    return PublishedRows(_select(reader, found, scores), where, found, unused, keys)


def sound_tokens(length: int, vocabulary_size: int | None = None) -> str:
    """SQL that holds of a row whose tokens are a window: `length` token ids, all in the vocabulary if its size is known."""
    within = "" if vocabulary_size is None else f" and list_max(tokens) < {int(vocabulary_size)}"
    return f"tokens is not null and len(tokens) = {int(length)} and list_position(tokens, null) is null{within}"


def refuse_tokens(connection: duckdb.DuckDBPyConnection, rows: PublishedRows, length: int) -> None:
    """Say which row's tokens are no window, if one's are not.

    Raises:
        SourceError: naming the row and what its tokens are.
    """
    if row := _first(connection, rows, "tokens is null or list_position(tokens, null) is not null", "sequence_id"):
        raise SourceError(
            f"{rows.where} has {rows.found.tokens} that are not a list of token ids in row {row[0]} (sequence {row[1]}); "
            f"expected {length} whole numbers from 0, in a CSV written as [1, 2, …]"
        )
    if row := _first(connection, rows, f"len(tokens) <> {int(length)}", "len(tokens)"):
        raise SourceError(
            f"{rows.where} has {row[1]} tokens in row {row[0]}, expected {length} (the vars prompt_length + "
            "continuation_length)"
        )


def first_beyond(
    connection: duckdb.DuckDBPyConnection, rows: PublishedRows, vocabulary_size: int
) -> tuple[int, int] | None:
    """The first row with a token id that is not in the vocabulary, and the id."""
    return _first(connection, rows, f"list_max(tokens) >= {int(vocabulary_size)}", "list_max(tokens)")


def count_scores(
    connection: duckdb.DuckDBPyConnection, rows: PublishedRows, scores: Sequence[ScoreColumn]
) -> list[int]:
    """How many scores each column has.

    Raises:
        SourceError: naming the first score that is not from 0 to 1.
    """
    if not scores:
        return []
    names = [SCORE.format(index) for index in range(len(scores))]
    counted = ", ".join(f"count({n}), count(*) filter (not ({n} between 0 and 1))" for n in names)
    counts = connection.execute(f"select {counted} from {rows.relation}").fetchone()  # noqa: S608
    assert counts is not None
    for name, score, faulty in zip(names, scores, counts[1::2], strict=True):
        if faulty:
            row = _first(connection, rows, f"not ({name} between 0 and 1)", name)
            assert row is not None
            raise SourceError(
                f"{rows.where} has {score.column} {row[1]} in row {row[0]}; a memorization score is from 0 to 1"
            )
    return list(counts[::2])


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
    return READERS[suffixes.pop()].format(files=f"[{literals(paths)}]")


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


def _select(reader: str, found: ColumnNames, scores: Sequence[ScoreColumn]) -> str:
    assert found.sequence_id is not None
    tokens = "cast(null as uinteger[])"
    if found.tokens is not None:
        tokens = f"try_cast({identifier(found.tokens)} as uinteger[])"
    columns = [
        f"cast({identifier(found.sequence_id)} as bigint) as sequence_id",
        f"cast({identifier(found.token_offset) if found.token_offset else '0'} as integer) as token_offset",
        f"{tokens} as tokens",
        *(f"cast({identifier(score.column)} as double) as {SCORE.format(i)}" for i, score in enumerate(scores)),
    ]
    return f"(select {', '.join(columns)} from {reader})"  # noqa: S608


def _first(connection: duckdb.DuckDBPyConnection, rows: PublishedRows, condition: str, shown: str) -> tuple | None:
    """The first row of the source that the condition holds of, and what is shown of it."""
    return connection.execute(
        f"select source_row, {shown} from (select row_number() over () - 1 as source_row, * from {rows.relation}) "  # noqa: S608
        f"where {condition} order by source_row limit 1"
    ).fetchone()
