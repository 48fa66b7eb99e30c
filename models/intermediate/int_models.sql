-- One row per registered language model and revision, with how it is to be loaded.
select
    model,
    revision,
    corpus,
    location,
    -- A hub's branch moves; the commit that was registered does not.
    case
        when model_checksum like 'commit:%' then substr(model_checksum, 8)
        else revision
    end as scored_revision,
    model_checksum,
    n_parameters,
    vocabulary_size,
    training_fraction,
    coalesce(dtype, '{{ var("model_dtype") }}') as dtype,
    device,
    tokenizer,
    tokenizer_checksum
from {{ ref('stg_models') }}
