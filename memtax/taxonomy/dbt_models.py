"""What the Python models of models/marts/taxonomy return: one function for each, over DuckDB relations."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from memtax.taxonomy import tables
from memtax.taxonomy.correlating import correlation_rows
from memtax.taxonomy.diverging import divergence_rows, published_divergence_rows
from memtax.taxonomy.evaluation import metric_rows, published_metric_rows, read_answers
from memtax.taxonomy.frame import Scope, read_frame
from memtax.taxonomy.published_search import published_search_rows
from memtax.taxonomy.searching import best_scopes, search_rows
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.testing import test_rows
from memtax.taxonomy.training import (
    model_rows,
    predictions_table,
    published_predictions_table,
    stored_regressions,
)

BATCH_ROWS = 122_880  # DuckDB's row group


def search(rows: Any, meta: Mapping[str, Any], database: str | None) -> pa.Table:
    """int_taxonomy__search; parts that are done are kept beside the database until all are."""
    settings = Settings.from_meta(meta)
    store = Path(f"{database}.search") if database else None
    make = published_search_rows if settings.protocol == "paper" else search_rows
    found = tables.for_each_pair(
        rows,
        lambda model, revision, table: make(model, revision, read_frame(table), settings, store),
        tables.SEARCH,
        **_training_rows(settings, most=settings.search_rows),
    )
    if store is not None:
        shutil.rmtree(store, ignore_errors=True)
    return found


def models(rows: Any, searched: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__fits."""
    settings = Settings.from_meta(meta)
    return tables.for_each_pair(
        rows,
        lambda model, revision, table: model_rows(
            model, revision, read_frame(table), settings, _scopes(searched, model, revision)
        ),
        tables.MODELS,
        **_training_rows(settings),
    )


def predictions(rows: Any, fitted: Any, meta: Mapping[str, Any]) -> pa.RecordBatchReader:
    """int_taxonomy__predictions: one model and revision at a time, since all of them may not fit in memory.

    Args:
        rows: of int_taxonomy__rows, on another connection than the one that reads the result.
        fitted: of int_taxonomy__fits, likewise.
        meta: the vars.
    """
    settings = Settings.from_meta(meta)

    def make(model: str, revision: str) -> pa.Table:
        if settings.protocol == "paper":
            table = tables.rows_of(rows, model, revision, in_source_order=True)
            return published_predictions_table(model, revision, table, read_frame(table))
        table = tables.rows_of(rows, model, revision, split="test")
        frame = read_frame(table)
        own = tables.chosen(fitted, model, revision).to_arrow_table().to_pylist()
        return predictions_table(model, revision, table, frame, stored_regressions(own, frame.features))

    def batches() -> Iterator[pa.RecordBatch]:
        pairs = tables.pairs_of(rows)
        # The next model's are made while DuckDB writes these, by one thread, as the relations share a connection.
        with ThreadPoolExecutor(1) as ahead:
            coming = [ahead.submit(make, *pair) for pair in pairs[:1]]
            for place in range(len(pairs)):
                made = coming.pop().result()
                coming += [ahead.submit(make, *pair) for pair in pairs[place + 1 : place + 2]]
                yield from made.to_batches(max_chunksize=BATCH_ROWS)

    return pa.RecordBatchReader.from_batches(tables.PREDICTIONS, batches())


def metrics(rows: Any, predicted: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__metrics."""
    settings = Settings.from_meta(meta)
    parts = []
    for model, revision in tables.pairs_of(rows):
        if settings.protocol == "paper":
            table = tables.rows_of(rows, model, revision, in_source_order=True)
            found = published_metric_rows(read_frame(table))
        else:
            answers = read_answers(tables.chosen(predicted, model, revision))
            found = metric_rows(answers, settings) if answers else []
        shared = {"model": model, "revision": revision}
        parts.append(tables.table_of([row | shared for row in found], tables.METRICS))
    return pa.concat_tables(parts) if parts else tables.METRICS.empty_table()


def tests(rows: Any, searched: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__tests."""
    settings = Settings.from_meta(meta)

    def make(model: str, revision: str, table: pa.Table) -> list[tables.Row]:
        found = test_rows(read_frame(table), settings, _scopes(searched, model, revision))
        return [row | {"model": model, "revision": revision} for row in found]

    return tables.for_each_pair(rows, make, tables.TESTS, **_training_rows(settings))


def correlations(rows: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__correlations."""
    settings = Settings.from_meta(meta)
    return tables.for_each_pair(
        rows,
        lambda model, revision, table: correlation_rows(model, revision, read_frame(table), settings),
        tables.CORRELATIONS,
        most=0 if settings.protocol == "paper" else settings.correlation_rows,
        in_source_order=settings.protocol == "paper",
    )


def _training_rows(settings: Settings, most: int = 0) -> dict[str, Any]:
    """Which rows the corrected protocol's training reads; the paper's takes all, and splits them itself."""
    if settings.protocol == "paper":
        return {"in_source_order": True}
    return {"split": "train", "most": most}


def divergences(counts: Any, rows: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__divergences."""
    settings = Settings.from_meta(meta)
    parts = []
    for model, revision in tables.pairs_of(counts):
        if settings.protocol == "paper":
            found = published_divergence_rows(model, revision, _values(rows, counts, model, revision), settings)
        else:
            found = divergence_rows(model, revision, tables.chosen(counts, model, revision).to_arrow_table(), settings)
        parts.append(tables.table_of(found, tables.DIVERGENCES))
    return pa.concat_tables(parts) if parts else tables.DIVERGENCES.empty_table()


def _values(rows: Any, counts: Any, model: str, revision: str) -> pa.Table:
    """What the published divergence pairs: the features of int_taxonomy__distributions, row by row, in a fixed order."""
    features = [name for (name,) in counts.project("feature").distinct().order("feature").fetchall()]
    own = tables.chosen(rows, model, revision)
    chosen = ["memorized", "duplicates_from"]
    for name in features:
        column = next(f"{kind} {name}" for kind in ("feature", "measure") if f"{kind} {name}" in own.columns)
        chosen.append(f"{_quoted(column)} as {_quoted(name)}")
    return own.order(tables.SOURCE_ORDER).project(", ".join(chosen)).to_arrow_table()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def database_of(session: Any) -> str | None:
    """The file of the session's database; None in memory."""
    row = session.execute("select path from duckdb_databases() where database_name = current_database()").fetchone()
    return row[0] if row and row[0] else None


def _scopes(searched: Any, model: str, revision: str) -> tuple[Scope, ...]:
    first = tables.chosen(searched, model, revision).filter("place = 1").to_arrow_table().to_pylist()
    return best_scopes(first)
