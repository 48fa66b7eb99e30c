-- The models and their checkpoints.
select
    model,
    revision,
    corpus,
    n_parameters,
    training_fraction
from dim_models
order by
    n_parameters nulls first,
    model,
    training_fraction nulls first,
    try_cast(regexp_extract(revision, '[0-9]+') as bigint) nulls first,
    revision
