-- The models and checkpoints that the store knows something of, from the smallest and earliest to the largest and last.
select
    model || '@' || revision as run,
    model,
    revision,
    n_parameters,
    training_fraction
from dim_models
where
    (model, revision) in (
        $known
    )
order by
    n_parameters nulls first,
    model,
    training_fraction nulls first,
    try_cast(regexp_extract(revision, '[0-9]+') as bigint) nulls first,
    revision
