-- One row per model, revision, predictor, category and split: how well the predicted probabilities tell memorized sequences
-- from others, and how far they can be taken at their word.
select
    model,
    revision,
    predictor,
    category,
    split,
    status,
    n_rows,
    n_memorized,
    n_fallback_rows,
    roc_auc,
    pr_auc,
    precision,
    recall,
    f1,
    brier_score,
    calibration_error
from {{ ref('int_taxonomy__metrics') }}
