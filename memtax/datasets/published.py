"""Landing evaluated sequences that others published, with their scores."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import numpy as np

from memtax.corpus import registration
from memtax.corpus.checksums import content_checksum
from memtax.corpus.progress import Progress, silent
from memtax.corpus.reader import WINDOWS_AT_ONCE, iter_windows
from memtax.corpus.shards import Corpus, find_corpus, save_corpus, shards_of
from memtax.corpus.tokenizer import CorpusTokenizer
from memtax.datasets.published_source import SCORE, ColumnNames, ScoreColumn, read_published
from memtax.datasets.store import Dataset, insert_windows, insert_windows_from, make_room, save_dataset
from memtax.errors import SourceError

TABLE = "published_windows"


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
    found, unused = read_published(connection, TABLE, paths, names, scores, length, relation)
    shape: dict[str, str | int | None] = {"corpus": corpus, "length": length}
    shape |= asdict(found)
    shape |= {f"score of {score.model}@{score.revision}": score.column for score in scores}
    n_windows = _count(connection, f"from {TABLE}")
    dataset = Dataset(name, corpus, str(paths[0]), content_checksum(paths, shape), n_windows)
    again = _command(name, paths, corpus, scores, names)
    notes = _register_corpus(connection, corpus, tokenizer)
    if not make_room(connection, dataset, replace=replace, again=again):
        return Publication(dataset, landed=False, notes=tuple(notes))
    if found.tokens is None:
        compared = _fill_from_corpus(connection, dataset, length, str(paths[0]), progress)
    else:
        _require_within_vocabulary(connection, corpus, str(paths[0]))
        compared = _compare_with_corpus(connection, dataset, str(paths[0]), progress)
        low, high = connection.execute(
            f"select min(sequence_id), max(sequence_id) from {TABLE}"  # noqa: S608
        ).fetchone()  # type: ignore[misc]
        insert_windows_from(connection, name, corpus, TABLE, low, high)
        if compared < n_windows and shards_of(connection, corpus):
            missing = n_windows - compared
            notes.append(f"{missing:,} windows are of sequences that corpus {corpus} does not hold: not compared")
    landed = [_land_scores(connection, dataset, index, score) for index, score in enumerate(scores)]
    save_dataset(connection, dataset)
    if unused:
        notes.append(f"not landed: the columns {', '.join(unused)}; name scores with --score-column COLUMN=MODEL")
    return Publication(dataset, True, compared, tuple(landed), tuple(notes))


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


def _fill_from_corpus(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, length: int, where: str, progress: Progress
) -> int:
    """Read the windows' tokens from the corpus, for a source that names them only."""
    done = 0
    for first in range(0, dataset.n_sequences, WINDOWS_AT_ONCE):
        ids, offsets, _ = _chunk(connection, first, with_tokens=False)
        read = np.zeros(len(ids), bool)
        for rows, tokens in iter_windows(connection, dataset.corpus, ids, offsets, length):
            insert_windows(connection, dataset.dataset, dataset.corpus, ids[rows], offsets[rows], tokens)
            read[rows] = True
        if not read.all():
            missing = int(np.argmin(read))
            raise SourceError(
                f"{where} has no tokens, and corpus {dataset.corpus!r} does not hold {length} tokens of sequence "
                f"{ids[missing]} from offset {offsets[missing]}; land the corpus first, or a source with a tokens "
                "column"
            )
        done += len(ids)
        progress(done / dataset.n_sequences, f"{done:,} windows")
    return done


def _compare_with_corpus(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, where: str, progress: Progress
) -> int:
    compared = 0
    if not shards_of(connection, dataset.corpus):
        return compared
    for first in range(0, dataset.n_sequences, WINDOWS_AT_ONCE):
        ids, offsets, tokens = _chunk(connection, first, with_tokens=True)
        complaint = f"{where} disagrees with corpus {dataset.corpus!r}"
        compared += registration.require_equal_windows(connection, dataset.corpus, ids, offsets, tokens, complaint)
        progress((first + len(ids)) / dataset.n_sequences, f"{first + len(ids):,} windows compared")
    return compared


def _chunk(
    connection: duckdb.DuckDBPyConnection, first: int, *, with_tokens: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = "sequence_id, token_offset" + (", tokens" if with_tokens else "")
    table = connection.execute(
        f"select {columns} from {TABLE} where window_rank >= ? and window_rank < ? order by window_rank",  # noqa: S608
        [first, first + WINDOWS_AT_ONCE],
    ).to_arrow_table()
    tokens = np.empty((table.num_rows, 0), np.uint32)
    if with_tokens:
        tokens = table.column("tokens").combine_chunks().flatten().to_numpy().reshape(table.num_rows, -1)
    return table.column("sequence_id").to_numpy(), table.column("token_offset").to_numpy().astype(np.int64), tokens


def _require_within_vocabulary(connection: duckdb.DuckDBPyConnection, name: str, where: str) -> None:
    corpus = find_corpus(connection, name) or Corpus(name)
    if corpus.vocabulary_size is None:
        return
    beyond = connection.execute(
        f"select source_row, list_max(tokens) from {TABLE} where list_max(tokens) >= ? "  # noqa: S608
        "order by source_row limit 1",
        [corpus.vocabulary_size],
    ).fetchone()
    if beyond is not None:
        raise SourceError(
            f"{where} has token id {beyond[1]} in row {beyond[0]}, and the tokenizer {corpus.tokenizer} of corpus "
            f"{name!r} has {corpus.vocabulary_size:,} entries; they are of different corpora"
        )


def _land_scores(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, index: int, score: ScoreColumn
) -> tuple[str, int]:
    column = SCORE.format(index)
    _require_agreement_with_scores(connection, dataset, column, score)
    connection.execute(
        "insert into raw.published_scores (dataset, corpus, sequence_id, token_offset, model, revision, score) "  # noqa: S608
        f"select ?, ?, sequence_id, token_offset, ?, ?, {column} from {TABLE} where {column} is not null",
        [dataset.dataset, dataset.corpus, score.model, score.revision],
    )
    return f"{score.model}@{score.revision}", _count(connection, f"from {TABLE} where {column} is not null")


def _require_agreement_with_scores(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, column: str, score: ScoreColumn
) -> None:
    """Refuse scores that contradict those another dataset brought: a window has one score by a model and revision."""
    other = connection.execute(
        f"select sequence_id, token_offset, there.dataset, there.score, incoming.{column} "  # noqa: S608
        f"from {TABLE} as incoming "
        "inner join ("
        "    select * from raw.published_scores where corpus = ? and model = ? and revision = ?"
        ") as there using (sequence_id, token_offset) "
        f"where there.score <> incoming.{column} order by all limit 1",
        [dataset.corpus, score.model, score.revision],
    ).fetchone()
    if other is not None:
        sequence_id, token_offset, there, before, now = other
        raise SourceError(
            f"dataset {dataset.dataset!r} has the score {now} by {score.model}@{score.revision} for sequence "
            f"{sequence_id} of corpus {dataset.corpus!r} at offset {token_offset} (column {score.column}), and dataset "
            f"{there!r} brought {before}; name the model or revision that each is of, or leave that --score-column out"
        )


def _count(connection: duckdb.DuckDBPyConnection, rest: str) -> int:
    return connection.execute(f"select count(*) {rest}").fetchone()[0]  # type: ignore[index]
