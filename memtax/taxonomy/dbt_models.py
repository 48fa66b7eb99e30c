"""What the Python models of models/marts/taxonomy return: one function for each, over DuckDB relations."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from memtax.quoting import identifier
from memtax.taxonomy import tables
from memtax.taxonomy.correlating import correlation_rows
from memtax.taxonomy.diverging import divergence_rows, published_divergence_rows
from memtax.taxonomy.evaluation import Answers, metric_rows, published_metric_rows, read_answers
from memtax.taxonomy.frame import Frame, Scope, read_frame
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
# The order of the source makes sums the same to the last bit; where a model has more rows, sorting takes longer than training.
SORTED_ROWS = 1_000_000


def search(datasets: Any, rows: Any, meta: Mapping[str, Any], database: str | None) -> pa.Table:
    """int_taxonomy__search; parts that are done are kept beside the database until all are."""
    settings = Settings.from_meta(meta)
    tables.require_protocol(settings.protocol, rows)
    store = Path(f"{database}.search") if database else None
    make = published_search_rows if settings.protocol == "paper" else search_rows
    found = tables.for_each_pair(
        datasets,
        settings.protocol,
        lambda model, revision: _training_frame(datasets, rows, model, revision, settings, most=settings.search_rows),
        lambda model, revision, frame: make(model, revision, frame, settings, store),
        tables.SEARCH,
    )
    if store is not None:
        shutil.rmtree(store, ignore_errors=True)
    return found


def models(datasets: Any, rows: Any, searched: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__fits."""
    settings = Settings.from_meta(meta)
    tables.require_protocol(settings.protocol, rows, searched)
    return tables.for_each_pair(
        datasets,
        settings.protocol,
        lambda model, revision: _training_rows(datasets, rows, searched, model, revision, settings),
        lambda model, revision, read: model_rows(model, revision, read[0], settings, read[1]),
        tables.MODELS,
    )


def predictions(datasets: Any, rows: Any, fitted: Any, meta: Mapping[str, Any]) -> pa.RecordBatchReader:
    """taxonomy_predictions: one model and revision at a time, since all of them may not fit in memory.

    Args:
        datasets: of int_taxonomy__datasets, on another connection than the one that reads the result.
        rows: of int_taxonomy__rows, likewise.
        fitted: of int_taxonomy__fits, likewise.
        meta: the vars.
    """
    settings = Settings.from_meta(meta)
    tables.require_protocol(settings.protocol, rows, fitted)

    def make(model: str, revision: str) -> pa.Table:
        if settings.protocol == "paper":
            table = tables.rows_of(rows, model, revision, with_keys=True)
            return published_predictions_table(model, revision, table, read_frame(table))
        in_order = _in_source_order(datasets, model, revision)
        table = tables.rows_of(rows, model, revision, split="test", in_source_order=in_order, with_keys=True)
        frame = read_frame(table)
        own = tables.chosen(fitted, model, revision).to_arrow_table().to_pylist()
        tables.require_features({row["feature"] for row in own}, frame.features)
        return predictions_table(model, revision, table, frame, stored_regressions(own, frame.features))

    def batches() -> Iterator[pa.RecordBatch]:
        # The next model's are made while DuckDB writes these.
        for made in tables.read_ahead(tables.pairs_of(datasets), make):
            yield from made.to_batches(max_chunksize=BATCH_ROWS)

    return pa.RecordBatchReader.from_batches(tables.PREDICTIONS, batches())


def metrics(datasets: Any, rows: Any, predicted: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__metrics."""
    settings = Settings.from_meta(meta)
    tables.require_protocol(settings.protocol, rows, predicted)

    def read(model: str, revision: str) -> Frame | Answers | None:
        if settings.protocol == "paper":
            return read_frame(tables.rows_of(rows, model, revision))
        return read_answers(tables.chosen(predicted, model, revision))

    def make(model: str, revision: str, taken: Frame | Answers | None) -> list[tables.Row]:
        if taken is None:
            return []
        found = published_metric_rows(taken) if isinstance(taken, Frame) else metric_rows(taken, settings)
        return [row | {"model": model, "revision": revision} for row in found]

    return tables.for_each_pair(datasets, settings.protocol, read, make, tables.METRICS)


def tests(datasets: Any, rows: Any, searched: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__tests."""
    settings = Settings.from_meta(meta)
    tables.require_protocol(settings.protocol, rows, searched)

    def make(model: str, revision: str, read: tuple[Frame, tuple[Scope, ...]]) -> list[tables.Row]:
        return [row | {"model": model, "revision": revision} for row in test_rows(read[0], settings, read[1])]

    return tables.for_each_pair(
        datasets,
        settings.protocol,
        lambda model, revision: _training_rows(datasets, rows, searched, model, revision, settings),
        make,
        tables.TESTS,
    )


def correlations(datasets: Any, rows: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__correlations."""
    settings = Settings.from_meta(meta)
    tables.require_protocol(settings.protocol, rows)
    most = 0 if settings.protocol == "paper" else settings.correlation_rows
    return tables.for_each_pair(
        datasets,
        settings.protocol,
        lambda model, revision: read_frame(
            tables.rows_of(
                rows,
                model,
                revision,
                most=most,
                in_source_order=settings.protocol == "paper" or _in_source_order(datasets, model, revision, most),
            )
        ),
        lambda model, revision, frame: correlation_rows(model, revision, frame, settings),
        tables.CORRELATIONS,
    )


def _training_rows(
    datasets: Any, rows: Any, searched: Any, model: str, revision: str, settings: Settings
) -> tuple[Frame, tuple[Scope, ...]]:
    return _training_frame(datasets, rows, model, revision, settings), _scopes(searched, model, revision)


def _training_frame(datasets: Any, rows: Any, model: str, revision: str, settings: Settings, most: int = 0) -> Frame:
    """What the corrected protocol's training reads; the paper's takes all rows, and splits them itself."""
    if settings.protocol == "paper":
        return read_frame(tables.rows_of(rows, model, revision))
    in_order = _in_source_order(datasets, model, revision, most)
    return read_frame(tables.rows_of(rows, model, revision, split="train", most=most, in_source_order=in_order))


def _in_source_order(datasets: Any, model: str, revision: str, most: int = 0) -> bool:
    """Whether the corrected protocol reads a model's rows, or `most` of them at most, in the order of their source."""
    (n,) = tables.chosen(datasets, model, revision).sum("n_rows").fetchone()
    return min(n, most or n) <= SORTED_ROWS


def divergences(counts: Any, rows: Any, meta: Mapping[str, Any]) -> pa.Table:
    """int_taxonomy__divergences."""
    settings = Settings.from_meta(meta)
    tables.require_protocol(settings.protocol, counts, rows)
    parts = []
    for model, revision in tables.pairs_of(counts):
        if settings.protocol == "paper":
            found = published_divergence_rows(model, revision, _values(rows, counts, model, revision), settings)
        else:
            found = divergence_rows(model, revision, tables.chosen(counts, model, revision).to_arrow_table(), settings)
        parts.append(tables.table_of([row | {"protocol": settings.protocol} for row in found], tables.DIVERGENCES))
    return pa.concat_tables(parts) if parts else tables.DIVERGENCES.empty_table()


def _values(rows: Any, counts: Any, model: str, revision: str) -> pa.Table:
    """What the published divergence pairs: the features of int_taxonomy__distributions, row by row, in a fixed order."""
    features = [name for (name,) in counts.project("feature").distinct().order("feature").fetchall()]
    own = tables.chosen(rows, model, revision)
    chosen = ["memorized", "duplicates_from"]
    for name in features:
        column = next(f"{kind} {name}" for kind in ("feature", "measure") if f"{kind} {name}" in own.columns)
        chosen.append(f"{identifier(column)} as {identifier(name)}")
    return own.order(tables.SOURCE_ORDER).project(", ".join(chosen)).to_arrow_table()


def database_of(session: Any) -> str | None:
    """The file of the session's database; None in memory."""
    row = session.execute("select path from duckdb_databases() where database_name = current_database()").fetchone()
    return row[0] if row and row[0] else None


def _scopes(searched: Any, model: str, revision: str) -> tuple[Scope, ...]:
    first = tables.chosen(searched, model, revision).filter("place = 1").to_arrow_table().to_pylist()
    return best_scopes(first)
