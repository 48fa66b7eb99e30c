"""What the Python models of models/marts/taxonomy return: one function for each, over DuckDB relations."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from memtax.taxonomy import tables
from memtax.taxonomy.correlating import correlation_rows
from memtax.taxonomy.diverging import divergence_rows, published_divergence_rows
from memtax.taxonomy.evaluation import metric_rows, published_metric_rows
from memtax.taxonomy.frame import Scope, read_frame
from memtax.taxonomy.searching import best_scopes, search_rows
from memtax.taxonomy.settings import Settings
from memtax.taxonomy.testing import test_rows
from memtax.taxonomy.training import model_rows, predictions_table, published_predictions_table, train


def search(rows: Any, meta: Mapping[str, Any], database: str | None) -> pa.Table:
    """int_taxonomy__search; parts that are done are kept beside the database until all are."""
    settings = Settings.from_meta(meta)
    if settings.protocol == "paper":
        # The published search chooses on the test set; `memtax.taxonomy.published.fit_taxonomy` repeats any candidate of it.
        return tables.SEARCH.empty_table()
    store = Path(f"{database}.search") if database else None
    found = tables.for_each_pair(
        rows,
        lambda model, revision, table: search_rows(model, revision, read_frame(table), settings, store),
        tables.SEARCH,
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
    )


def predictions(rows: Any, searched: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__predictions."""
    settings = Settings.from_meta(meta)
    parts = []
    for model, revision in tables.pairs_of(rows):
        table = tables.rows_of(rows, model, revision)
        frame = read_frame(table)
        if settings.protocol == "paper":
            parts.append(published_predictions_table(model, revision, table, frame))
        else:
            fits = train(frame, settings, _scopes(searched, model, revision))
            parts.append(predictions_table(model, revision, table, frame, fits))
    return pa.concat_tables(parts) if parts else tables.PREDICTIONS.empty_table()


def metrics(rows: Any, predicted: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__metrics."""
    settings = Settings.from_meta(meta)
    parts = []
    for model, revision in tables.pairs_of(rows):
        if settings.protocol == "paper":
            found = published_metric_rows(read_frame(tables.rows_of(rows, model, revision)))
        else:
            found = metric_rows(tables.chosen(predicted, model, revision).to_arrow_table(), settings)
        shared = {"model": model, "revision": revision}
        parts.append(tables.table_of([row | shared for row in found], tables.METRICS))
    return pa.concat_tables(parts) if parts else tables.METRICS.empty_table()


def tests(rows: Any, searched: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__tests."""
    settings = Settings.from_meta(meta)

    def make(model: str, revision: str, table: pa.Table) -> list[tables.Row]:
        found = test_rows(read_frame(table), settings, _scopes(searched, model, revision))
        return [row | {"model": model, "revision": revision} for row in found]

    return tables.for_each_pair(rows, make, tables.TESTS)


def correlations(rows: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__correlations."""
    settings = Settings.from_meta(meta)
    return tables.for_each_pair(
        rows,
        lambda model, revision, table: correlation_rows(model, revision, read_frame(table), settings),
        tables.CORRELATIONS,
    )


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
