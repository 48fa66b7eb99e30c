-- One row per model, revision, scope and feature: the coefficients of the regressions that predict memorization, over all
-- sequences (scope baseline) and over each category alone.
select
    model,
    revision,
    scope,
    feature,
    status,
    coefficient,
    standardized_coefficient,
    intercept,
    feature_mean,
    feature_scale,
    n_train_rows,
    n_train_memorized,
    n_rows_without_features,
    '{{ var("taxonomy_seed") }}' as seed,
    versions
from {{ ref('int_taxonomy__fits') }}
