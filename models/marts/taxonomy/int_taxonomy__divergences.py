"""One row per model, revision, feature, range of duplicates and measure, by memtax.taxonomy.divergence."""


def model(dbt, session):
    """Hold memorized sequences against others."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    return dbt_models.divergences(
        dbt.ref("int_taxonomy__distributions"), dbt.ref("int_taxonomy__rows"), dbt.config.get("meta")
    )
