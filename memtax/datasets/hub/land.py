"""Landing a split of a published dataset: windows, feature tables, values of sequences, or frequencies of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_field
from pathlib import Path

import duckdb

from memtax.corpus.checksums import BackgroundChecksum
from memtax.corpus.progress import Progress, silent
from memtax.corpus.shards import Corpus, find_corpus, save_corpus
from memtax.corpus.tokenizer import CorpusTokenizer
from memtax.datasets.feature_schemas import PAPER
from memtax.datasets.feature_tables import land_features
from memtax.datasets.hub.check import Checked, check, named
from memtax.datasets.hub.schemas import SIZES, Split, model_name
from memtax.datasets.published import land_published
from memtax.datasets.published_source import ScoreColumn
from memtax.datasets.row_keys import readable
from memtax.datasets.window import prompt_length, window_length
from memtax.errors import SourceError

MEMORIZED = "memorized_score"


@dataclass(frozen=True)
class HubLanding:
    """What landing a split did: whether it was new, what it became, its rows, and what to tell the user."""

    landed: bool
    what: str
    n_rows: int
    notes: tuple[str, ...] = ()


def land_split(
    connection: duckdb.DuckDBPyConnection,
    split: Split,
    paths: Sequence[Path],
    *,
    dataset: str | None = None,
    corpus: str | None = None,
    tokenizer: CorpusTokenizer | None = None,
    replace: bool = False,
    progress: Progress = silent,
) -> HubLanding:
    """Land one split; the same files again change nothing.

    Rows stream through DuckDB, which spills what does not fit in memory.

    Args:
        connection: inside a writer's transaction, which the caller commits.
        split: what the files are.
        paths: the files, in order.
        dataset: name of the dataset that windows or features become; by default the split's.
        corpus: name of their corpus; by default `pile-duped` or `pile-deduped`.
        tokenizer: of the corpus, if it has none yet.
        replace: land in the place of what differs.
        progress: told how far it is.

    Raises:
        SourceError: the files are not what the split says.
    """
    paths = [path.resolve() for path in paths]
    corpus = corpus or split.corpus
    dataset = dataset or split.dataset
    if split.published.kind == "windows":
        checked = check(connection, split, paths)
        return _land_windows(connection, split, paths, checked, dataset, corpus, tokenizer, replace, progress)
    if split.published.kind == "features":
        checked = check(connection, split, paths)
        return _land_features(connection, split, paths, checked, dataset, corpus, replace)
    return _land_values(connection, split, paths, corpus, replace)


def _land_features(
    connection: duckdb.DuckDBPyConnection,
    split: Split,
    paths: Sequence[Path],
    checked: Checked,
    dataset: str,
    corpus: str,
    replace: bool,
) -> HubLanding:
    """Hand a table of the paper's columns to what lands ready feature tables (`memtax ingest features`).

    The intermediate splits lack perplexities and matches, which are NULL in them.

    Raises:
        SourceError: it refuses the table.
    """
    assert split.model is not None, split
    required = tuple(name for name in PAPER.required if name in split.published.columns)
    landing = land_features(
        connection,
        dataset,
        paths,
        split.model,
        split.revision,
        replace_field(PAPER, required=required),
        prompt_length=prompt_length(),
        corpus=corpus,
        replace=replace,
    )
    what = f"features of dataset {dataset} by {split.model}@{split.revision}"
    notes = (*checked.notes, *landing.notes) if landing.landed else ()
    return HubLanding(landing.landed, what, landing.n_rows, notes)


def _land_windows(
    connection: duckdb.DuckDBPyConnection,
    split: Split,
    paths: Sequence[Path],
    checked: Checked,
    dataset: str,
    corpus: str,
    tokenizer: CorpusTokenizer | None,
    replace: bool,
    progress: Progress,
) -> HubLanding:
    relation = checked.relation
    if split.model is not None:
        # Every row of such a split is memorized, and has no column that says so.
        relation = f"(select *, 1.0 as {MEMORIZED} from {relation})"  # noqa: S608
        scores = [ScoreColumn(MEMORIZED, split.model, split.revision)]
    else:
        scores = [ScoreColumn(size, model_name(split.scheme, size)) for size in SIZES if size in checked.types]
    publication = land_published(
        connection,
        dataset,
        paths,
        corpus,
        window_length(),
        scores=scores,
        tokenizer=tokenizer,
        replace=replace,
        progress=progress,
        relation=relation,
    )
    scored = tuple(f"{count:,} scores by {model}" for model, count in publication.scores)
    what = f"windows of corpus {corpus} as dataset {dataset}"
    notes = (*scored, *checked.notes, *publication.notes) if publication.landed else ()
    return HubLanding(publication.landed, what, publication.dataset.n_sequences, notes)


def _land_values(
    connection: duckdb.DuckDBPyConnection, split: Split, paths: Sequence[Path], corpus: str, replace: bool
) -> HubLanding:
    """Land values of sequences or frequencies of tokens: a row of raw.published_tables for each feature of the split."""
    of_tokens = split.published.kind == "token_frequencies"
    what = f"{'frequencies of tokens' if of_tokens else 'values'} of corpus {corpus}"
    keys = [split.repository, split.name, corpus, split.model or ""]
    there = connection.execute(
        "select min(checksum), min(n_rows), list(table_id) from raw.published_tables "
        "where repository = ? and split = ? and corpus = ? and model = ?",
        keys,
    ).fetchone()
    shape: dict[str, str | int | None] = {"corpus": corpus, "repository": split.repository, "split": split.name}
    with BackgroundChecksum(paths, shape) as checksum:
        if there is not None and there[0] is not None:
            if there[0] == checksum.result():
                return HubLanding(False, what, there[1])
            if not replace:
                raise SourceError(
                    f"split {split.name} of {split.repository} is there with other content; add --replace to land this one "
                    "instead"
                )
            for table in ("published_values", "published_token_frequencies", "published_tables"):
                connection.execute(f"delete from raw.{table} where list_contains(?, table_id)", [there[2]])  # noqa: S608
        checked = check(connection, split, paths)
        if find_corpus(connection, corpus) is None:
            save_corpus(connection, Corpus(corpus))
        features = {column: name.format(**split.named) for column, name in split.published.values.items()}
        if of_tokens:
            features = {"Frequency": "frequency"}
        (first_id,) = connection.execute("select coalesce(max(table_id), 0) + 1 from raw.published_tables").fetchone()  # type: ignore[misc]
        present = {column: feature for column, feature in features.items() if column in checked.types}
        with readable(named(split, paths)):
            for table_id, column in enumerate(present, first_id):
                _insert_values(connection, split, checked, column, table_id, of_tokens=of_tokens)
        n_rows = checked.n_rows - checked.n_repeated
        for table_id, feature in enumerate(present.values(), first_id):
            connection.execute(
                "insert into raw.published_tables (table_id, repository, split, corpus, model, revision, feature, checksum, "
                "n_rows, n_repeated) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [table_id, *keys, split.revision, feature, checksum.result(), n_rows, checked.n_repeated],
            )
    return HubLanding(True, what, n_rows, checked.notes)


def _insert_values(
    connection: duckdb.DuckDBPyConnection,
    split: Split,
    checked: Checked,
    column: str,
    table_id: int,
    *,
    of_tokens: bool,
) -> None:
    key = next(iter(split.published.columns))
    table, kind = ("published_token_frequencies", "bigint") if of_tokens else ("published_values", "double")
    connection.execute(
        f'insert into raw.{table} select {int(table_id)}, cast("{key}" as bigint), cast("{column}" as {kind}) '  # noqa: S608
        f'from {checked.relation} where "{column}" is not null'
    )
