"""Landing a split of a published dataset: windows, feature tables, values of sequences, or frequencies of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from memtax.corpus.checksums import content_checksum
from memtax.corpus.progress import Progress, silent
from memtax.corpus.shards import Corpus, find_corpus, save_corpus
from memtax.corpus.tokenizer import CorpusTokenizer
from memtax.datasets.hub.check import Checked, check
from memtax.datasets.hub.schemas import SIZES, Split, model_name
from memtax.datasets.published import land_published
from memtax.datasets.published_source import ScoreColumn
from memtax.datasets.window import window_length
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
        return land_feature_table(connection, split, paths, checked, dataset, corpus, replace)
    checksum = content_checksum(paths, {"corpus": corpus, "repository": split.repository, "split": split.name})
    keys = [split.repository, split.name, corpus, split.model or ""]
    there = connection.execute(
        "select checksum, n_rows from raw.published_tables where repository = ? and split = ? and corpus = ? and model = ?",
        keys,
    ).fetchone()
    what = f"values of corpus {corpus}"
    if there is not None and there[0] == checksum:
        return HubLanding(False, what, there[1])
    if there is not None and not replace:
        raise SourceError(
            f"split {split.name} of {split.repository} is there with other content; add --replace to land this one instead"
        )
    checked = check(connection, split, paths)
    if find_corpus(connection, corpus) is None:
        save_corpus(connection, Corpus(corpus))
    table = "published_token_frequencies" if split.published.kind == "token_frequencies" else "published_values"
    connection.execute(
        f"delete from raw.{table} where repository = ? and split = ? and corpus = ? and model = ?",  # noqa: S608
        keys,
    )
    connection.execute(
        "delete from raw.published_tables where repository = ? and split = ? and corpus = ? and model = ?", keys
    )
    if split.published.kind == "token_frequencies":
        connection.execute(
            "insert into raw.published_token_frequencies select ?, ?, ?, ?, "  # noqa: S608
            f"cast(TokenID as bigint), cast(Frequency as bigint) from {checked.relation}",
            keys,
        )
    else:
        _insert_values(connection, split, checked, keys)
    n_rows = checked.n_rows - checked.n_repeated
    connection.execute(
        "insert into raw.published_tables (repository, split, corpus, model, checksum, n_rows, n_repeated) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        [*keys, checksum, n_rows, checked.n_repeated],
    )
    return HubLanding(True, what, n_rows, checked.notes)


def land_feature_table(
    connection: duckdb.DuckDBPyConnection,
    split: Split,
    paths: Sequence[Path],
    checked: Checked,
    dataset: str,
    corpus: str,
    replace: bool,
) -> HubLanding:
    """Hand a table of the paper's 27 columns to what lands ready feature tables (`memtax ingest features`).

    Raises:
        SourceError: this memtax has no `ingest features`, or it refuses the table.
    """
    try:
        from memtax.datasets.feature_schemas import PAPER
        from memtax.datasets.feature_tables import land_features
    except ModuleNotFoundError:
        raise SourceError(
            f"split {split.name} of {split.repository} is sound ({checked.n_rows:,} rows), and this memtax cannot land "
            "feature tables yet"
        ) from None
    from memtax.project import project_vars

    landing = land_features(
        connection,
        dataset,
        paths,
        split.model,
        split.revision,
        PAPER,
        prompt_length=int(project_vars().get("prompt_length", 32)),
        corpus=corpus,
        replace=replace,
    )
    what = f"features of dataset {dataset} by {split.model}@{split.revision}"
    return HubLanding(landing.landed, what, landing.n_rows, (*checked.notes, *landing.notes))


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


def _insert_values(connection: duckdb.DuckDBPyConnection, split: Split, checked: Checked, keys: Sequence[str]) -> None:
    key = next(iter(split.published.columns))
    features = {
        column: feature.format(**split.named)
        for column, feature in split.published.values.items()
        if column in checked.types
    }
    for column, feature in features.items():
        connection.execute(
            "insert into raw.published_values (repository, split, corpus, model, revision, sequence_id, token_offset, "  # noqa: S608
            f'feature, value) select ?, ?, ?, ?, ?, cast("{key}" as bigint), 0, ?, cast("{column}" as double) '
            f'from {checked.relation} where "{column}" is not null',
            [*keys, split.revision, feature],
        )
