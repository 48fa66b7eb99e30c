"""One row per held-out row and predictor: the probability that it is memorized, by memtax.taxonomy."""


def model(dbt, session):
    """Apply every predictor to the rows that were held out."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    # The result is made while it is written: what it is made from needs a connection of its own.
    reading = session.cursor()
    rows, fitted = (
        reading.sql(ref.sql_query()) for ref in (dbt.ref("int_taxonomy__rows"), dbt.ref("int_taxonomy__fits"))
    )
    return dbt_models.predictions(rows, fitted, dbt.config.get("meta"))
