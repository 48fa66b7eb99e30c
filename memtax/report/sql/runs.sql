-- The models and checkpoints that the store knows something of, from the smallest and earliest to the largest and last.
select
    model || '@' || revision as run,
    model,
    revision,
    model_size,
    training_fraction
from dim_models
where
    (model, revision) in (
        $known
    )
order by model_place
