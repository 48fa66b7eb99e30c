-- The models and their checkpoints.
select
    model,
    revision,
    corpus,
    n_parameters,
    model_size,
    training_fraction
from dim_models
order by model_place
