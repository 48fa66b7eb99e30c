-- In each scope the feature of the greatest standardized coefficient among those whose 95 % interval leaves out 0.
select
    model || '@' || revision as run,
    scope,
    feature,
    standardized_coefficient,
    standardized_low,
    standardized_high,
    n_train_memorized,
    n_train_rows
from taxonomy_models
where
    predictor = 'taxonomy'
    and feature <> '(intercept)'
    -- Where no memorized training row is representative, the intercept alone does not hold for the sample.
    and (status = 'fitted' or status like 'fitted, but no memorized training row%')
    and (standardized_low > 0 or standardized_high < 0)
qualify row_number() over (partition by run, scope order by abs(standardized_coefficient) desc, feature) = 1
order by run, list_position(['recitation', 'reconstruction', 'recollection'], scope)
