-- One row per model, revision, predictor, category, split, measure and method: how well the predicted probabilities tell
-- memorized sequences from others, and how far they can be taken at their word, with 95 % intervals.
select
    model,
    revision,
    protocol,
    predictor,
    category,
    split,
    measure,
    method,
    value,
    low,
    high,
    standard_deviation,
    n_rows,
    n_memorized,
    prevalence,
    n_fallback_rows,
    status
from {{ ref('int_taxonomy__metrics') }}
where compared_with is null and bin is null
