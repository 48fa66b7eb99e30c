-- One row per model, revision, category (or baseline: all rows), subset, feature and method: how a feature goes with
-- memorization.
select
    model,
    revision,
    protocol,
    category,
    subset,
    feature,
    method,
    ties,
    correlation,
    p_value,
    n_rows,
    n_memorized,
    status
from {{ ref('int_taxonomy__correlations') }}
