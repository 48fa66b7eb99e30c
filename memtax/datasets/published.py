"""Landing evaluated sequences that others published, with their scores."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from memtax.corpus import registration
from memtax.corpus.checksums import BackgroundChecksum
from memtax.corpus.progress import Progress, silent
from memtax.corpus.reader import WINDOWS_AT_ONCE, iter_windows
from memtax.corpus.shards import find_corpus, save_corpus, shards_of
from memtax.corpus.tokenizer import CorpusTokenizer
from memtax.datasets.published_source import (
    SCORE,
    ColumnNames,
    PublishedRows,
    ScoreColumn,
    count_scores,
    first_beyond,
    read_published,
    refuse_tokens,
    sound_tokens,
)
from memtax.datasets.row_keys import readable
from memtax.datasets.store import (
    Dataset,
    find_dataset,
    insert_sequences,
    insert_sequences_from,
    make_room,
    require_no_features,
    save_dataset,
)
from memtax.errors import SourceError


@dataclass(frozen=True)
class Publication:
    """What landing a published dataset did.

    Attributes:
        dataset: its row.
        landed: False where it was there already.
        compared: windows whose tokens were found in the corpus and agree.
        scores: scores landed, by model@revision.
        notes: more to tell the user.
    """

    dataset: Dataset
    landed: bool
    compared: int = 0
    scores: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


def land_published(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    paths: Sequence[Path],
    corpus: str,
    length: int,
    *,
    scores: Sequence[ScoreColumn] = (),
    names: ColumnNames | None = None,
    tokenizer: CorpusTokenizer | None = None,
    replace: bool = False,
    progress: Progress = silent,
    relation: str | None = None,
) -> Publication:
    """Land Parquet, JSONL or CSV files of windows as one dataset.

    A corpus of that name need not be landed: sequences are often published without it. Where it is, the windows must
    agree with it token by token; where it is not, its name is registered, and landing it later holds it to these
    windows.

    Args:
        connection: inside a writer's transaction, which the caller commits.
        name: of the dataset.
        paths: the files.
        corpus: whose sequences they are.
        length: tokens of a window.
        scores: columns with memorization scores; NULL scores are passed over.
        names: columns that do not have the usual names.
        tokenizer: of the corpus, if it has none yet.
        replace: drop another dataset of that name first.
        progress: told how far it is.
        relation: SQL of the files' rows, where not all of them are wanted as they are.

    Raises:
        SourceError: the files do not hold such windows, or disagree with the corpus, or the dataset is there and
        differs.
    """
    names = names or ColumnNames()
    paths = [path.expanduser().resolve() for path in paths]
    rows = read_published(connection, paths, names, scores, relation)
    shape: dict[str, str | int | None] = {"corpus": corpus, "length": length}
    shape |= asdict(rows.found)
    shape |= {f"score of {score.model}@{score.revision}": score.column for score in scores}

    def dataset(checksum: str) -> Dataset:
        return Dataset(name, corpus, str(paths[0]), checksum, len(rows.keys))

    with BackgroundChecksum(paths, shape) as checksum:
        notes = _register_corpus(connection, corpus, tokenizer)
        if find_dataset(connection, name) is None:
            require_no_features(connection, name)
        else:
            incoming = dataset(checksum.result())
            again = _command(name, paths, corpus, scores, names)
            if not make_room(connection, incoming, replace=replace, again=again):
                return Publication(incoming, landed=False, notes=tuple(notes))
        if rows.found.tokens is None:
            compared = _fill_from_corpus(connection, corpus, rows, length, progress)
        else:
            with readable(rows.where):
                _land_tokens(connection, corpus, rows, length)
            compared = _compare_with_corpus(connection, corpus, rows, length, progress)
            if compared < len(rows.keys) and shards_of(connection, corpus):
                missing = len(rows.keys) - compared
                notes.append(f"{missing:,} windows are of sequences that corpus {corpus} does not hold: not compared")
        with readable(rows.where):
            landed = _land_members(connection, name, corpus, rows, scores)
        landing = dataset(checksum.result())
    save_dataset(connection, landing)
    if rows.unused:
        notes.append(f"not landed: the columns {', '.join(rows.unused)}; name scores with --score-column COLUMN=MODEL")
    return Publication(landing, True, compared, tuple(landed), tuple(notes))


def _command(name: str, paths: Sequence[Path], corpus: str, scores: Sequence[ScoreColumn], names: ColumnNames) -> str:
    """The command that lands this, ready for a shell."""
    command = ["memtax", "ingest", "sequences", name, *map(str, paths), "--corpus", corpus]
    for score in scores:
        command += ["--score-column", f"{score.column}={score.model}@{score.revision}"]
    options = {
        "--id-column": names.sequence_id,
        "--tokens-column": names.tokens,
        "--offset-column": names.token_offset,
    }
    for option, column in options.items():
        if column is not None:
            command += [option, column]
    return shlex.join(command)


def _register_corpus(connection: duckdb.DuckDBPyConnection, name: str, tokenizer: CorpusTokenizer | None) -> list[str]:
    there = find_corpus(connection, name)
    corpus = registration.corpus_with_tokenizer(connection, name, shards_of(connection, name), tokenizer)
    if corpus != there:
        save_corpus(connection, corpus)
    if there is not None:
        return []
    return [f"corpus {name} is not landed: its name is registered, and memtax ingest corpus {name} can follow"]


def _land_tokens(connection: duckdb.DuckDBPyConnection, corpus: str, rows: PublishedRows, length: int) -> None:
    """Insert the windows of a source, which are checked in the scan that inserts them."""
    known = find_corpus(connection, corpus)
    sound = sound_tokens(length, known.vocabulary_size if known else None)
    low, high = int(rows.keys.ids.min()), int(rows.keys.ids.max())
    there = connection.execute(
        "select 1 from raw.evaluated_sequences where corpus = ? and sequence_id between ? and ? limit 1",
        [corpus, low, high],
    ).fetchone()
    if there is None:
        # Sorting takes longer than all the rest; only what reads a corpus beside the windows needs it.
        order = "" if rows.keys.ascends or not shards_of(connection, corpus) else " order by sequence_id, token_offset"
        inserted = connection.execute(
            "insert into raw.evaluated_sequences (corpus, sequence_id, token_offset, tokens) "  # noqa: S608
            f"select ?, sequence_id, token_offset, tokens from {rows.relation} where {sound}{order}",
            [corpus],
        ).fetchone()
        assert inserted is not None
        n_sound = inserted[0]
    else:
        n_sound = _count(connection, f"from {rows.relation} where {sound}")
    if n_sound < len(rows.keys):
        refuse_tokens(connection, rows, length)
        _refuse_beyond_vocabulary(connection, corpus, rows)
    if there is not None:
        insert_sequences_from(connection, corpus, rows.relation, low, high)


def _refuse_beyond_vocabulary(connection: duckdb.DuckDBPyConnection, name: str, rows: PublishedRows) -> None:
    corpus = find_corpus(connection, name)
    assert corpus is not None, name
    assert corpus.vocabulary_size is not None, name
    beyond = first_beyond(connection, rows, corpus.vocabulary_size)
    assert beyond is not None, "every row passed alone, and not together"
    raise SourceError(
        f"{rows.where} has token id {beyond[1]} in row {beyond[0]}, and the tokenizer {corpus.tokenizer} of corpus "
        f"{name!r} has {corpus.vocabulary_size:,} entries; they are of different corpora"
    )


def _fill_from_corpus(
    connection: duckdb.DuckDBPyConnection, corpus: str, rows: PublishedRows, length: int, progress: Progress
) -> int:
    """Read the windows' tokens from the corpus, for a source that names them only."""
    done = 0
    for ids, offsets in _chunks(rows):
        read = np.zeros(len(ids), bool)
        for found, tokens in iter_windows(connection, corpus, ids, offsets, length):
            insert_sequences(connection, corpus, ids[found], offsets[found], tokens)
            read[found] = True
        if not read.all():
            missing = int(np.argmin(read))
            raise SourceError(
                f"{rows.where} has no tokens, and corpus {corpus!r} does not hold {length} tokens of sequence "
                f"{ids[missing]} from offset {offsets[missing]}; land the corpus first, or a source with a tokens "
                "column"
            )
        done += len(ids)
        progress(done / len(rows.keys), f"{done:,} windows")
    return done


def _compare_with_corpus(
    connection: duckdb.DuckDBPyConnection, corpus: str, rows: PublishedRows, length: int, progress: Progress
) -> int:
    """Hold the windows, as they are in the store now, to the corpus where it is landed."""
    compared = done = 0
    if not shards_of(connection, corpus):
        return compared
    complaint = f"{rows.where} disagrees with corpus {corpus!r}"
    for ids, offsets in _chunks(rows):
        connection.register("chunk_of_keys", pa.table({"sequence_id": ids, "token_offset": offsets}))
        try:
            tokens = connection.execute(
                "select tokens from raw.evaluated_sequences semi join chunk_of_keys using (sequence_id, token_offset) "
                "where corpus = ? and sequence_id between ? and ? order by sequence_id, token_offset",
                [corpus, int(ids[0]), int(ids[-1])],
            ).to_arrow_table()
        finally:
            connection.unregister("chunk_of_keys")
        windows = tokens.column(0).combine_chunks().flatten().to_numpy().reshape(len(ids), length)
        compared += registration.require_equal_windows(connection, corpus, ids, offsets, windows, complaint)
        done += len(ids)
        progress(done / len(rows.keys), f"{done:,} windows compared")
    return compared


def _chunks(rows: PublishedRows) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The sequence ids and token offsets of the windows, ascending, a chunk at a time."""
    keys = rows.keys
    for first in range(0, len(keys), WINDOWS_AT_ONCE):
        chunk = keys.order[first : first + WINDOWS_AT_ONCE]
        ids = keys.ids[chunk]
        yield ids, np.zeros(len(ids), np.int64) if keys.offsets is None else keys.offsets[chunk]


def _land_members(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    corpus: str,
    rows: PublishedRows,
    scores: Sequence[ScoreColumn],
) -> list[tuple[str, int]]:
    """Make the windows members of the dataset, with their scores beside them in one list; returns how many of each."""
    counts = count_scores(connection, rows, scores)
    for index, score in enumerate(scores):
        _require_agreement_with_scores(connection, dataset, corpus, rows, SCORE.format(index), score)
        connection.execute(
            "insert into raw.dataset_scores (dataset, place, model, revision) values (?, ?, ?, ?)",
            [dataset, index + 1, score.model, score.revision],
        )
    listed = f"[{', '.join(SCORE.format(index) for index in range(len(scores)))}]" if scores else "null"
    connection.execute(
        "insert into raw.dataset_members (dataset, corpus, sequence_id, token_offset, scores) "  # noqa: S608
        f"select ?, ?, sequence_id, token_offset, {listed} from {rows.relation}",
        [dataset, corpus],
    )
    return [(f"{score.model}@{score.revision}", count) for score, count in zip(scores, counts, strict=True)]


def _require_agreement_with_scores(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    corpus: str,
    rows: PublishedRows,
    column: str,
    score: ScoreColumn,
) -> None:
    """Refuse scores that contradict those another dataset brought: a window has one score by a model and revision."""
    whose = [corpus, score.model, score.revision]
    if not _count(
        connection,
        "from raw.dataset_scores inner join raw.datasets using (dataset) where corpus = ? and model = ? and revision = ?",
        whose,
    ):
        return
    other = connection.execute(
        f"select sequence_id, token_offset, there.dataset, there.score, incoming.{column} "  # noqa: S608
        f"from {rows.relation} as incoming "
        "inner join ("
        "    select * from raw.published_scores where corpus = ? and model = ? and revision = ?"
        ") as there using (sequence_id, token_offset) "
        f"where there.score <> incoming.{column} order by all limit 1",
        whose,
    ).fetchone()
    if other is not None:
        sequence_id, token_offset, there, before, now = other
        raise SourceError(
            f"dataset {dataset!r} has the score {now} by {score.model}@{score.revision} for sequence "
            f"{sequence_id} of corpus {corpus!r} at offset {token_offset} (column {score.column}), and dataset "
            f"{there!r} brought {before}; name the model or revision that each is of, or leave that --score-column out"
        )


def _count(connection: duckdb.DuckDBPyConnection, rest: str, parameters: Sequence[str] = ()) -> int:
    return connection.execute(f"select count(*) {rest}", parameters).fetchone()[0]  # type: ignore[index]
