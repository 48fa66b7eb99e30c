-- Coefficients of the regressions for all rows (baseline) and for each category, per standard deviation of the feature.
select
    model || '@' || revision as run,
    scope,
    feature,
    standardized_coefficient,
    standardized_low,
    standardized_high,
    p_value,
    variance_inflation,
    n_train_rows,
    n_train_memorized,
    status
from taxonomy_models
where
    predictor in ('baseline', 'taxonomy')
    and feature <> '(intercept)'
    and standardized_coefficient is not null
    and model || '@' || revision in ($runs)
order by run, scope, feature
