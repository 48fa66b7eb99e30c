"""The tables that training gives, one pair of model and revision at a time: what the Python dbt models return."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

MODELS = pa.schema(
    [
        *[
            (name, pa.string())
            for name in ("model", "revision", "predictor", "scope", "rule", "feature", "status", "note")
        ],
        *[(name, pa.float64()) for name in ("coefficient", "coefficient_low", "coefficient_high")],
        *[(name, pa.float64()) for name in ("standardized_coefficient", "standardized_low", "standardized_high")],
        *[(name, pa.float64()) for name in ("wald_statistic", "p_value", "variance_inflation")],
        *[(name, pa.float64()) for name in ("feature_mean", "feature_scale", "prevalence_shift")],
        *[(name, pa.int64()) for name in ("n_train_rows", "n_train_memorized", "n_rows_without_features")],
        *[(name, pa.string()) for name in ("errors_from", "settings", "versions")],
    ]
)
INTERCEPT = "(intercept)"
# Representative rows first, each dataset in the order of its source.
SOURCE_ORDER = "is_representative desc, dataset, source_row, corpus, sequence_id, token_offset"

METRICS = pa.schema(
    [
        *[(name, pa.string()) for name in ("model", "revision", "predictor", "category", "split", "measure", "method")],
        *[(name, pa.float64()) for name in ("value", "low", "high", "standard_deviation")],
        *[(name, pa.int64()) for name in ("n_rows", "n_memorized", "n_fallback_rows")],
        ("prevalence", pa.float64()),
        ("status", pa.string()),
        # Of a difference between two predictors; NULL for a measure of one.
        ("compared_with", pa.string()),
        ("p_value", pa.float64()),
    ]
)

TESTS = pa.schema(
    [
        *[
            (name, pa.string())
            for name in ("model", "revision", "predictor", "compared_with", "scope", "test", "method")
        ],
        *[(name, pa.float64()) for name in ("statistic", "degrees_of_freedom", "p_value")],
        ("n", pa.int64()),
        ("status", pa.string()),
    ]
)

CORRELATIONS = pa.schema(
    [
        *[(name, pa.string()) for name in ("model", "revision", "category", "subset", "feature", "method", "ties")],
        *[(name, pa.float64()) for name in ("correlation", "p_value")],
        *[(name, pa.int64()) for name in ("n_rows", "n_memorized")],
        ("status", pa.string()),
    ]
)

SEARCH = pa.schema(
    [
        *[(name, pa.string()) for name in ("model", "revision", "first_feature", "second_feature")],
        *[
            (name, pa.float64())
            for name in ("first_quantile", "first_threshold", "second_quantile", "second_threshold")
        ],
        ("place", pa.int64()),
        *[(name, pa.float64()) for name in ("score", "baseline_score")],
        ("method", pa.string()),
        ("status", pa.string()),
        ("parts", pa.string()),
        ("n_rows", pa.int64()),
        ("settings", pa.string()),
    ]
)

DIVERGENCES = pa.schema(
    [
        *[(name, pa.string()) for name in ("model", "revision", "feature", "measure", "method", "status")],
        *[(name, pa.float64()) for name in ("divergence", "low", "high")],
        *[(name, pa.int64()) for name in ("duplicates_from", "n_memorized", "n_other", "n_bins")],
    ]
)

PREDICTIONS = pa.schema(
    [
        ("corpus", pa.string()),
        ("sequence_id", pa.int64()),
        ("token_offset", pa.int32()),
        *[(name, pa.string()) for name in ("model", "revision", "predictor", "scope", "category", "split")],
        ("memorized", pa.bool_()),
        ("probability", pa.float64()),
        ("is_fallback", pa.bool_()),
        ("is_representative", pa.bool_()),
        ("group_key", pa.string()),
    ]
)

Row = dict[str, Any]


def table_of(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table; NaN becomes NULL, as does what a row does not name."""
    columns = {}
    for field in schema:
        values = [_known(row.get(field.name)) for row in rows]
        columns[field.name] = pa.array(values, field.type)
    return pa.table(columns, schema=schema)


def _known(value: Any) -> Any:
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    return value.item() if isinstance(value, np.generic) else value


def pairs_of(relation: Any) -> list[tuple[str, str]]:
    """The models and revisions of a DuckDB relation, in order."""
    return relation.project("model, revision").distinct().order("model, revision").fetchall()


def rows_of(relation: Any, model: str, revision: str) -> pa.Table:
    """The rows of one model and revision: representative ones first, each dataset in the order of its source."""
    return chosen(relation, model, revision).order(SOURCE_ORDER).to_arrow_table()


def chosen(relation: Any, model: str, revision: str) -> Any:
    """The relation's rows of one model and revision."""
    return relation.filter(f"model = {_literal(model)} and revision = {_literal(revision)}")


def for_each_pair(relation: Any, make: Callable[[str, str, pa.Table], list[Row]], schema: pa.Schema) -> pa.Table:
    """The rows that `make` gives for each model and revision, which are never mixed."""
    parts = [table_of(make(model, revision, table), schema) for model, revision, table in _pairs(relation)]
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _pairs(relation: Any) -> Iterator[tuple[str, str, pa.Table]]:
    for model, revision in pairs_of(relation):
        yield model, revision, rows_of(relation, model, revision)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
