"""One row per held-out row and predictor: the probability that it is memorized, by memtax.taxonomy."""


def model(dbt, session):
    """Apply every predictor to the rows that were held out."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    # The result is made while dbt writes it, on a connection of its own.
    return dbt_models.predictions(dbt.ref("int_taxonomy__rows"), dbt.ref("int_taxonomy__fits"), dbt.config.get("meta"))
