"""The tables that training gives, one pair of model and revision at a time: what the Python dbt models return."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from memtax.errors import StoreError
from memtax.quoting import identifier, literal
from memtax.taxonomy.frame import COLUMNS, FEATURE_PREFIX, SAMPLED, sampled_share

MODELS = pa.schema(
    [
        *[
            (name, pa.string())
            for name in ("model", "revision", "protocol", "predictor", "scope", "rule", "feature", "status", "note")
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
KEYS = ("corpus", "sequence_id", "token_offset")
# Representative rows first, each dataset in the order of its source.
SOURCE_ORDER = ", ".join(("is_representative desc", "dataset", "source_row", *KEYS))

METRICS = pa.schema(
    [
        *[(name, pa.string()) for name in ("model", "revision", "protocol", "predictor", "category")],
        *[(name, pa.string()) for name in ("split", "measure", "method")],
        *[(name, pa.float64()) for name in ("value", "low", "high", "standard_deviation")],
        *[(name, pa.int64()) for name in ("n_rows", "n_memorized", "n_fallback_rows")],
        ("prevalence", pa.float64()),
        ("status", pa.string()),
        # Of a difference between two predictors; NULL for a measure of one.
        ("compared_with", pa.string()),
        ("p_value", pa.float64()),
        # Of the reliability curve, whose `value` is the mean probability; NULL for a measure.
        ("bin", pa.int32()),
    ]
)

TESTS = pa.schema(
    [
        *[
            (name, pa.string())
            for name in ("model", "revision", "protocol", "predictor", "compared_with", "scope", "test", "method")
        ],
        *[(name, pa.float64()) for name in ("statistic", "degrees_of_freedom", "p_value")],
        ("n", pa.int64()),
        ("status", pa.string()),
    ]
)

CORRELATIONS = pa.schema(
    [
        *[(name, pa.string()) for name in ("model", "revision", "protocol", "category")],
        *[(name, pa.string()) for name in ("subset", "feature", "method", "ties")],
        *[(name, pa.float64()) for name in ("correlation", "p_value")],
        *[(name, pa.int64()) for name in ("n_rows", "n_memorized")],
        ("status", pa.string()),
    ]
)

SEARCH = pa.schema(
    [
        *[(name, pa.string()) for name in ("model", "revision", "protocol", "first_feature", "second_feature")],
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
        ("prediction_metrics", pa.string()),
        ("n_rows", pa.int64()),
        ("settings", pa.string()),
    ]
)

DIVERGENCES = pa.schema(
    [
        *[(name, pa.string()) for name in ("model", "revision", "protocol", "feature", "measure", "method", "status")],
        *[(name, pa.float64()) for name in ("divergence", "low", "high")],
        *[(name, pa.int64()) for name in ("duplicates_from", "n_memorized", "n_other", "n_bins")],
    ]
)

# Few texts in many rows: they go to DuckDB as codes, each text once.
NAME = pa.dictionary(pa.int32(), pa.string())
PREDICTIONS = pa.schema(
    [
        ("corpus", NAME),
        ("sequence_id", pa.int64()),
        ("token_offset", pa.int32()),
        *[(name, NAME) for name in ("model", "revision", "protocol", "predictor", "scope", "category", "split")],
        ("is_representative", pa.bool_()),
        ("memorized", pa.bool_()),
        ("probability", pa.float64()),
        ("is_fallback", pa.bool_()),
        ("group_number", pa.int64()),
    ]
)

Row = dict[str, Any]
T = TypeVar("T")


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
    in_source_order: bool = True,
    with_keys: bool = False,
) -> pa.Table:
    """Rows of int_taxonomy__rows of one model and revision: what a frame is made of.

    Args:
        relation: of int_taxonomy__rows.
        model, revision: whose.
        split: 'train' or 'test'; both by default.
        most: about so many rows at most, in whole groups; 0 for all.
        in_source_order: else as they lie, which takes neither sorting nor the columns to sort by.
        with_keys: their KEYS as well.
    """
    own = chosen(relation, model, revision)
    if split is not None:
        own = own.filter(f"split = {literal(split)}")
    if most > 0:
        (n,) = own.count("*").fetchone()
        own = own.filter(f"{SAMPLED} < {sampled_share(most, n)}") if most < n else own
    needed = (*KEYS, *COLUMNS) if with_keys else COLUMNS
    read = [name for name in own.columns if name.startswith(FEATURE_PREFIX) or name in needed]
    own = own.order(SOURCE_ORDER) if in_source_order else own
    return own.project(", ".join(map(identifier, read))).to_arrow_table()


def chosen(relation: Any, model: str, revision: str) -> Any:
    """The relation's rows of one model and revision."""
    return relation.filter(f"model = {literal(model)} and revision = {literal(revision)}")


def read_ahead(pairs: Sequence[tuple[str, str]], read: Callable[[str, str], T]) -> Iterator[T]:
    """What `read` gives for each model and revision, in order; the next one is read while this one is worked on.

    By one thread, since the relations that it reads share a connection: they are for `read` alone until the last is taken.
    """
    with ThreadPoolExecutor(1) as ahead:
        coming = [ahead.submit(read, *pair) for pair in pairs[:1]]
        for place in range(len(pairs)):
            taken = coming.pop().result()
            coming += [ahead.submit(read, *pair) for pair in pairs[place + 1 : place + 2]]
            yield taken


def require_protocol(protocol: str, *relations: Any) -> None:
    """Refuse to make a table by one protocol of what another one made.

    Args:
        protocol: of the vars.
        relations: what is read, each with a column protocol. In int_taxonomy__rows it is a constant, so that no row is read.

    Raises:
        StoreError: one is of another protocol, since a part of the project alone was run.
    """
    for relation in relations:
        other = relation.filter(f"protocol <> {literal(protocol)}").project("protocol").limit(1).fetchone()
        if other is not None:
            raise StoreError(
                f"the var protocol is {protocol}, and this model reads what was made under the protocol {other[0]}; run "
                f"dbt run --vars 'protocol: {protocol}' without --select, since the categories depend on it as well"
            )


def require_features(fitted: set[str], features: Sequence[str]) -> None:
    """Refuse to apply regressions to rows with other features than they were fitted on.

    Raises:
        StoreError: the vars changed in between, and a part of the project alone was run.
    """
    if fitted and fitted - {INTERCEPT} != set(features):
        raise StoreError(
            f"the regressions were fitted on {', '.join(sorted(fitted - {INTERCEPT}))}, and the rows have "
            f"{', '.join(sorted(features))}; run dbt run --select int_taxonomy__rows+"
        )


def for_each_pair(
    relation: Any,
    protocol: str,
    read: Callable[[str, str], T],
    make: Callable[[str, str, T], list[Row]],
    schema: pa.Schema,
) -> pa.Table:
    """The rows that `make` gives of what was read for each model and revision of the relation, which are never mixed.

    Each says the protocol that made it.
    """
    pairs = pairs_of(relation)
    parts = [
        table_of([row | {"protocol": protocol} for row in make(*pair, taken)], schema)
        for pair, taken in zip(pairs, read_ahead(pairs, read), strict=True)
    ]
    return pa.concat_tables(parts) if parts else schema.empty_table()
