"""One row per model, revision, predictor, category and measure, with intervals, by memtax.taxonomy."""


def model(dbt, session):
    """Evaluate every predictor on every category and on all rows."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    return dbt_models.metrics(
        dbt.ref("int_taxonomy__datasets"),
        dbt.ref("int_taxonomy__rows"),
        dbt.ref("taxonomy_predictions"),
        dbt.config.get("meta"),
    )
