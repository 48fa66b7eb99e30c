"""One row per held-out row and predictor: the probability that it is memorized, by memtax.taxonomy."""


def model(dbt, session):
    """Apply every predictor to the rows that were held out."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    return dbt_models.predictions(
        dbt.ref("int_taxonomy__rows"), dbt.ref("int_taxonomy__search"), dbt.config.get("meta")
    )
