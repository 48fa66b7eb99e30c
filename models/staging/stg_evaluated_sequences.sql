-- One row per evaluated sequence.
select
    corpus,
    sequence_id,
    token_offset,
    tokens
from {{ source('raw', 'evaluated_sequences') }}
