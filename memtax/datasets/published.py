"""Landing evaluated sequences that others published, with their scores."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from memtax.corpus import registration
from memtax.corpus.checksums import BackgroundChecksum
from memtax.corpus.progress import Progress, silent
from memtax.corpus.shards import find_corpus, save_corpus, shards_of
from memtax.corpus.tokenizer import CorpusTokenizer
from memtax.datasets.published_members import land_members
from memtax.datasets.published_source import ColumnNames, ScoreColumn, read_published
from memtax.datasets.published_windows import compare_with_corpus, fill_from_corpus, land_tokens
from memtax.datasets.row_keys import readable
from memtax.datasets.store import Dataset, find_dataset, make_room, require_no_features, save_dataset


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
            compared = fill_from_corpus(connection, corpus, rows, length, progress)
        else:
            with readable(rows.where):
                land_tokens(connection, corpus, rows, length)
            compared = compare_with_corpus(connection, corpus, rows, length, progress)
            if compared < len(rows.keys) and shards_of(connection, corpus):
                missing = len(rows.keys) - compared
                notes.append(f"{missing:,} windows are of sequences that corpus {corpus} does not hold: not compared")
        with readable(rows.where):
            landed = land_members(connection, name, corpus, rows, scores)
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
