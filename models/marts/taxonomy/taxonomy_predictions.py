"""One row per held-out window, model and predictor: the probability that the window is memorized, by memtax.taxonomy.

By the baseline, and by the regression of the part that the window belongs to under each taxonomy. Where a part was too small
to fit, the baseline answers for it, and `is_fallback` says so.
"""


def model(dbt, session):
    """Apply every predictor to the rows that were held out."""
    dbt.config(materialized="table")
    from memtax.taxonomy import dbt_models

    # The result is made while dbt writes it, on a connection of its own.
    return dbt_models.predictions(
        dbt.ref("int_taxonomy__datasets"),
        dbt.ref("int_taxonomy__rows"),
        dbt.ref("int_taxonomy__fits"),
        dbt.config.get("meta"),
    )
