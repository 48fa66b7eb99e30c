-- One row per evaluated sequence and model whose tokens the var token_log_probabilities asked for: what each one cost.
select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    token_log_probabilities
from {{ ref('int_sequence_model__scores') }}
where token_log_probabilities is not null
