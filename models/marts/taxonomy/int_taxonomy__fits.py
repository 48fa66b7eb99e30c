"""One row per model, revision, scope and feature: the regressions, as fitted by memtax.taxonomy."""


def model(dbt, session):
    """Fit the baseline and one regression per category for every model and revision."""
    dbt.config(materialized="table")
    from memtax.taxonomy import fit_models

    rows = dbt.ref("int_taxonomy__rows").to_arrow_table()
    meta = dbt.config.get("meta")
    return fit_models(rows, list(meta["features"]), int(meta["minimum_class_rows"]))
