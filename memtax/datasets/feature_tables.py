"""Landing ready feature tables: what others computed of evaluated sequences and one model, to train on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from memtax.corpus.checksums import BackgroundChecksum
from memtax.datasets.feature_schemas import KNOWN_UNUSED, VALUES, FeatureSchema
from memtax.datasets.published_source import ID_COLUMNS, INTEGER, INTEGER_LIST, relation_of_files
from memtax.datasets.row_keys import read_keys
from memtax.datasets.store import find_dataset
from memtax.errors import SourceError
from memtax.quoting import identifier

REPEATED = "repeated_feature_rows"
DEFAULT_CORPUS = "published"
IDENTITY = ("token_offset", "model", "revision", "dataset", "corpus", "category", "origin", "source_row")


@dataclass(frozen=True)
class FeatureLanding:
    """What landing a feature table did.

    Attributes:
        landed: False where it was there already.
        n_rows: rows that the store has of it.
        n_repeated: rows dropped, since an earlier row has their sequence_id (and token_offset).
        n_memorized: rows that are memorized.
        corpus: whose sequences they are taken to be.
        notes: more to tell the user.
    """

    landed: bool
    n_rows: int
    n_repeated: int
    n_memorized: int
    corpus: str
    notes: tuple[str, ...] = ()


def land_features(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    paths: Sequence[Path],
    model: str,
    revision: str,
    schema: FeatureSchema,
    *,
    prompt_length: int,
    corpus: str | None = None,
    replace: bool = False,
) -> FeatureLanding:
    """Land Parquet, JSONL or CSV files as the feature table of a dataset, model and revision.

    Rows keep their place in the source (`source_row`); a repeated sequence (at the same offset) keeps its first row.

    Args:
        connection: inside a writer's transaction, which the caller commits.
        dataset: name to land it under; not that of a dataset of evaluated sequences.
        paths: the files, in order.
        model: the language model that scores and perplexities are of.
        revision: its revision.
        schema: how the columns are named.
        prompt_length: tokens of the prompt, to tell continuations where the source has tokens.
        corpus: whose sequences they are; by default that of the registered model, else 'published'.
        replace: land it again in the place of what is there.

    Raises:
        SourceError: a column that training needs is missing or of another kind, a row has no id, or the name is taken.
    """
    paths = [path.expanduser().resolve() for path in paths]
    where = str(paths[0]) + (" …" if len(paths) > 1 else "") if paths else "no file"
    reader = relation_of_files(paths)
    types = _describe(connection, reader, where)
    sequence_id = _require_columns(types, schema, where)
    corpus = corpus or _corpus_of(connection, model)
    shape: dict[str, str | int | None] = {"schema": schema.name, "corpus": corpus, "prompt_length": prompt_length}
    again = shlex.join(
        [
            *("memtax", "ingest", "features", dataset, *map(str, paths), "--model", f"{model}@{revision}"),
            *("--schema", schema.name, "--corpus", corpus),
        ]
    )
    with BackgroundChecksum(paths, shape) as checksum:
        there = _find(connection, dataset, model, revision)
        if there is not None and there[0] == checksum.result():
            return _summary(connection, dataset, model, revision, landed=False)
        _require_free_name(connection, dataset, model, revision, there is not None and not replace, again)
        keys = [dataset, model, revision]
        for table in ("feature_rows", "feature_tables"):
            connection.execute(
                f"delete from raw.{table} where dataset = ? and model = ? and revision = ?",  # noqa: S608
                keys,
            )
        try:
            rows = read_keys(
                connection, reader, where, sequence_id, "token_offset" if "token_offset" in types else None
            )
            repeated = rows.repeated()
            selected = _select(types, sequence_id, schema, prompt_length, paths, reader)
            if len(repeated):
                connection.execute(f"create or replace temp table {REPEATED} (source_row bigint)")
                connection.register("repeated_places", pa.table({"source_row": repeated}))
                connection.execute(f"insert into {REPEATED} from repeated_places")
                connection.unregister("repeated_places")
                selected += f" anti join {REPEATED} using (source_row)"
            connection.execute(
                "insert into raw.feature_rows by name "  # noqa: S608
                f"select ? as dataset, ? as model, ? as revision, ? as corpus, * from {selected}",
                [*keys, corpus],
            )
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise SourceError(f"{where} cannot be read as --schema {schema.name}: {said}") from error
        _require_scores(connection, where, keys)
        connection.execute("insert or ignore into raw.corpora (corpus) values (?)", [corpus])
        connection.execute(
            "insert into raw.feature_tables (dataset, model, revision, corpus, table_schema, origin, checksum, n_rows, "
            "n_repeated) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                *keys,
                *(corpus, schema.name, str(paths[0]), checksum.result()),
                *(len(rows) - len(repeated), len(repeated)),
            ],
        )
    return _summary(connection, dataset, model, revision, landed=True, notes=_notes(types, sequence_id, schema))


def _describe(connection: duckdb.DuckDBPyConnection, reader: str, where: str) -> dict[str, str]:
    try:
        return {name: kind for name, kind, *_ in connection.execute(f"describe from {reader}").fetchall()}
    except duckdb.Error as error:
        raise SourceError(f"{where} cannot be read: {str(error).splitlines()[0]}") from error


def _require_columns(types: dict[str, str], schema: FeatureSchema, where: str) -> str:
    """The column with ids, of a source that has all that training needs."""
    there = f"{where} has the columns {', '.join(types)}"
    sequence_id = next((name for name in ID_COLUMNS if name in types), None)
    if sequence_id is None:
        raise SourceError(f"{there}; expected the sequence's id as one of {', '.join(ID_COLUMNS)}")
    if not INTEGER.fullmatch(types[sequence_id]):
        raise SourceError(f"{where} has {sequence_id} as {types[sequence_id]}; expected whole numbers")
    missing = [name for name in schema.required if name not in types]
    if missing:
        raise SourceError(
            f"{there}; --schema {schema.name} needs {', '.join(missing)} as well. Name the other schema if the columns are "
            "its"
        )
    if schema.name == "memtax" and not {"memorized", "memorization_score"} & set(types):
        raise SourceError(f"{there}; expected memorized (true or false) or memorization_score (1 where memorized)")
    return sequence_id


def _corpus_of(connection: duckdb.DuckDBPyConnection, model: str) -> str:
    row = connection.execute("select min(corpus) from raw.models where model = ?", [model]).fetchone()
    return row[0] if row and row[0] else DEFAULT_CORPUS


def _find(connection: duckdb.DuckDBPyConnection, dataset: str, model: str, revision: str) -> tuple | None:
    return connection.execute(
        "select checksum from raw.feature_tables where dataset = ? and model = ? and revision = ?",
        [dataset, model, revision],
    ).fetchone()


def _require_free_name(
    connection: duckdb.DuckDBPyConnection, dataset: str, model: str, revision: str, differs: bool, again: str
) -> None:
    if find_dataset(connection, dataset) is not None:
        raise SourceError(
            f"{dataset!r} is a dataset of evaluated sequences, whose features are computed; land a ready feature table "
            "under another name (of memtax ingest hub, --name)"
        )
    if differs:
        raise SourceError(
            f"features of dataset {dataset!r} by {model}@{revision} are there and differ; choose another name, or land "
            f"these in their place with {again} --replace"
        )


def _require_scores(connection: duckdb.DuckDBPyConnection, where: str, keys: Sequence[str]) -> None:
    """Refuse scores that are no shares: of percentages, say, hardly a row would be memorized."""
    row = connection.execute(
        "select source_row, memorization_score from raw.feature_rows where dataset = ? and model = ? and revision = ? "
        "and not (memorization_score between 0 and 1) order by source_row limit 1",
        keys,
    ).fetchone()
    if row is not None:
        raise SourceError(
            f"{where} has memorization_score {row[1]} in row {row[0]}; a memorization score is from 0 to 1, and 1 where the "
            "row is memorized"
        )


def _select(
    types: dict[str, str],
    sequence_id: str,
    schema: FeatureSchema,
    prompt_length: int,
    paths: Sequence[Path],
    reader: str,
) -> str:
    """SQL of the source's rows in the columns of raw.feature_rows."""
    values = []
    for column, kind in VALUES.items():
        source = schema.columns.get(column)
        value = f"cast({identifier(source)} as {kind})" if source in types and source else f"cast(null as {kind})"
        if column.endswith("_duplicates") and source in types:
            value = _count(identifier(source), source, kind)
        if column in schema.derived:
            value = schema.derived[column]
        elif column == "memorized" and "memorized" not in types:
            value = "memorization_score = 1"
        values.append(f"{value} as {column}")
    offset = "cast(token_offset as integer)" if "token_offset" in types else "0"
    digest = "cast(null as varchar)"
    if INTEGER_LIST.fullmatch(types.get("tokens", "")):
        digest = f"md5(cast(cast(tokens as uinteger[])[{int(prompt_length) + 1}:] as varchar))"
    place = "row_number() over () - 1"
    if reader.startswith("read_parquet"):
        # Numbering rows in SQL would read the files in one thread.
        starts = [0]
        for path in paths[:-1]:
            starts.append(starts[-1] + pq.read_metadata(path).num_rows)
        place = f"cast({starts}[cast(file_index as bigint) + 1] + file_row_number as bigint)"
    return (
        f"(select {place} as source_row, cast({identifier(sequence_id)} as bigint) as sequence_id, "  # noqa: S608
        f"{offset} as token_offset, {digest} as continuation_digest, {', '.join(values)} from {reader})"
    )


def _count(column: str, name: str, kind: str) -> str:
    """SQL of a column of counts, which would be rounded without a word where it holds something else."""
    complaint = f"'{name} is ' || {column} || '; expected a whole number from 0 on'"
    number = f"try_cast({column} as double)"
    return f"case when {number} < 0 or {number} <> floor({number}) then error({complaint}) else cast({column} as {kind}) end"


def _notes(types: dict[str, str], sequence_id: str, schema: FeatureSchema) -> tuple[str, ...]:
    notes = []
    absent = [name for name in schema.columns.values() if name not in types and name != "memorized"]
    if absent:
        notes.append(f"not in the source, so NULL: {', '.join(absent)}")
    if not INTEGER_LIST.fullmatch(types.get("tokens", "")):
        notes.append(
            "no tokens: rows of one sequence_id are kept on one side of a split, but duplicates of a continuation are not"
        )
    known = {sequence_id, *schema.columns.values(), *KNOWN_UNUSED, *IDENTITY}
    unused = [name for name in types if name not in known]
    if unused:
        notes.append(f"not landed: the columns {', '.join(unused)}")
    return tuple(notes)


def _summary(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    model: str,
    revision: str,
    *,
    landed: bool,
    notes: tuple[str, ...] = (),
) -> FeatureLanding:
    keys = [dataset, model, revision]
    n_rows, n_repeated, corpus = connection.execute(
        "select n_rows, n_repeated, corpus from raw.feature_tables where dataset = ? and model = ? and revision = ?",
        keys,
    ).fetchone()  # type: ignore[misc]
    n_memorized, n_contradictions = connection.execute(
        "select count(*) filter (memorized), count(*) filter (memorized <> (memorization_score = 1)) "
        "from raw.feature_rows where dataset = ? and model = ? and revision = ?",
        keys,
    ).fetchone()  # type: ignore[misc]
    if landed and n_contradictions:
        notes += (
            f"{n_contradictions:,} rows have a memorized that contradicts their memorization_score, which is 1 where a row "
            "is memorized and only there; memorized counts",
        )
    return FeatureLanding(landed, n_rows, n_repeated, n_memorized, corpus, notes)
