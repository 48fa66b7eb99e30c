"""One row per model, revision, predictor, scope and feature: the regressions, by memtax.taxonomy."""


def model(dbt, session):
    """Fit every predictor for every model and revision."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    return dbt_models.models(
        dbt.ref("int_taxonomy__datasets"),
        dbt.ref("int_taxonomy__rows"),
        dbt.ref("int_taxonomy__search"),
        dbt.config.get("meta"),
    )
