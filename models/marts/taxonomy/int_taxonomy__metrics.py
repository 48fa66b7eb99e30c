"""One row per model, revision, predictor, category and split: how well its probabilities hold, by memtax.taxonomy."""


def model(dbt, session):
    """Evaluate every predictor on every category and on all rows."""
    dbt.config(materialized="table")
    from memtax.taxonomy import evaluate_predictions

    return evaluate_predictions(dbt.ref("taxonomy_predictions").to_arrow_table())
