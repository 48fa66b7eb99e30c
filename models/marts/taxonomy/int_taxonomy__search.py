"""One row per model, revision and candidate partition, ranked, by memtax.taxonomy.search."""


def model(dbt, session):
    """Search the partitions of every model and revision."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    return dbt_models.search(
        dbt.ref("int_taxonomy__datasets"),
        dbt.ref("int_taxonomy__rows"),
        dbt.config.get("meta"),
        dbt_models.database_of(session),
    )
