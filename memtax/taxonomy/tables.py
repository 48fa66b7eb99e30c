"""The tables that training gives, one pair of model and revision at a time: what the Python dbt models return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from memtax.taxonomy.frame import SAMPLED, sampled_share

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
# The paper's protocol needs the order of the source; the other one takes it so that sums are the same to the last bit.
SORTED_ROWS = 1_000_000
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
        ("position", pa.int64()),
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
        ("group_number", pa.int64()),
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


def rows_of(
    relation: Any,
    model: str,
    revision: str,
    *,
    split: str | None = None,
    most: int = 0,
    in_source_order: bool = False,
) -> pa.Table:
    """Rows of int_taxonomy__rows of one model and revision.

    Args:
        relation: of int_taxonomy__rows.
        model, revision: whose.
        split: 'train' or 'test'; both by default.
        most: about so many rows at most, in whole groups; 0 for all.
        in_source_order: whatever their number, as the paper's protocol needs them.
    """
    own = chosen(relation, model, revision)
    if split is not None:
        own = own.filter(f"split = {_literal(split)}")
    n = own.count("*").fetchone()[0]
    if 0 < most < n:
        own = own.filter(f"{SAMPLED} < {sampled_share(most, n)}")
    # Larger tables come in the order that they lie in: sorting would take longer than training.
    return (own.order(SOURCE_ORDER) if in_source_order or n <= SORTED_ROWS else own).to_arrow_table()


def chosen(relation: Any, model: str, revision: str) -> Any:
    """The relation's rows of one model and revision."""
    return relation.filter(f"model = {_literal(model)} and revision = {_literal(revision)}")


def for_each_pair(
    relation: Any,
    make: Callable[[str, str, pa.Table], list[Row]],
    schema: pa.Schema,
    **which: Any,
) -> pa.Table:
    """The rows that `make` gives for each model and revision, which are never mixed; `rows_of` says what `which` may be."""
    parts = [
        table_of(make(model, revision, rows_of(relation, model, revision, **which)), schema)
        for model, revision in pairs_of(relation)
    ]
    return pa.concat_tables(parts) if parts else schema.empty_table()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
