-- In each scope the feature of the greatest standardized coefficient among those whose 95 % interval leaves out 0, and those
-- of these whose intervals overlap its own, signs aside.
with told as (
    select
        model || '@' || revision as run,
        scope,
        feature,
        standardized_coefficient,
        standardized_low,
        standardized_high,
        n_train_memorized,
        n_train_rows,
        least(abs(standardized_low), abs(standardized_high)) as at_least,
        greatest(abs(standardized_low), abs(standardized_high)) as at_most,
        row_number() over (partition by run, scope order by abs(standardized_coefficient) desc, feature) as place
    from taxonomy_models
    where
        predictor = 'taxonomy'
        and feature <> '(intercept)'
        -- Where no memorized training row is representative, the intercept alone does not hold for the sample.
        and (status = 'fitted' or status like 'fitted, but no memorized training row%')
        and (standardized_low > 0 or standardized_high < 0)
)

select
    run,
    scope,
    feature,
    standardized_coefficient,
    standardized_low,
    standardized_high,
    n_train_memorized,
    n_train_rows,
    (
        select string_agg(others.feature, ', ' order by others.place)
        from told as others
        where
            others.run = largest.run
            and others.scope = largest.scope
            and others.place > 1
            and others.at_most >= largest.at_least
    ) as rivals
from told as largest
where place = 1
order by run, list_position(['recitation', 'reconstruction', 'recollection'], scope)
