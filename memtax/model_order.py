"""The order in which models and their checkpoints are listed: that of `dim_models`, from the smallest and earliest on."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from memtax import store
from memtax.errors import StoreError

Model = tuple[str, str]
"""Name and revision."""


def in_order(connection: duckdb.DuckDBPyConnection, models: Iterable[Model]) -> list[Model]:
    """Models as `dim_models` orders them; those that it lacks come last, by their names.

    Args:
        connection: the store, open for reading.
        models: in any order.

    Raises:
        StoreError: the table is of another version of memtax.
    """
    places: dict[Model, int] = {}
    if store.has_table(connection, "main", "dim_models"):
        try:
            found = connection.execute("select model, revision, model_place from main.dim_models").fetchall()
        except duckdb.BinderException as error:
            raise StoreError(
                "the store's table dim_models has no model_place: another version of memtax made it; run dbt run"
            ) from error
        places = {(model, revision): place for model, revision, place in found}
    return sorted(models, key=lambda model: (places.get(model, len(places) + 1), model))
