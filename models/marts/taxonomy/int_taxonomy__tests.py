"""One row per model, revision, predictor and test against the baseline, by memtax.taxonomy."""


def model(dbt, session):
    """Test every taxonomy against the baseline."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    return dbt_models.tests(
        dbt.ref("int_taxonomy__datasets"),
        dbt.ref("int_taxonomy__rows"),
        dbt.ref("int_taxonomy__search"),
        dbt.config.get("meta"),
    )
