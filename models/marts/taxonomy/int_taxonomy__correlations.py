"""One row per model, revision, category, subset, feature and method, by memtax.taxonomy and scipy."""


def model(dbt, session):
    """Correlate every feature with memorization."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    return dbt_models.correlations(
        dbt.ref("int_taxonomy__datasets"), dbt.ref("int_taxonomy__rows"), dbt.config.get("meta")
    )
