-- One row per registered language model and revision.
select
    model,
    revision,
    corpus,
    location,
    checksum as model_checksum,
    n_parameters,
    vocabulary_size,
    training_fraction,
    dtype,
    device,
    tokenizer,
    tokenizer_checksum
from {{ source('raw', 'models') }}
