"""The members of a published dataset, with the scores that it brings of them."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from memtax.datasets.published_source import SCORE, PublishedRows, ScoreColumn, count_scores
from memtax.errors import SourceError


def land_members(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    corpus: str,
    rows: PublishedRows,
    scores: Sequence[ScoreColumn],
) -> list[tuple[str, int]]:
    """Make the windows members of the dataset, with their scores beside them in one list; returns how many of each.

    Raises:
        SourceError: a score is not from 0 to 1, or contradicts what another dataset brought.
    """
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
    brought = connection.execute(
        "select 1 from raw.dataset_scores inner join raw.datasets using (dataset) "
        "where corpus = ? and model = ? and revision = ? limit 1",
        whose,
    ).fetchone()
    if brought is None:
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
