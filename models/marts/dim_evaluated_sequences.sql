-- One row per evaluated sequence, whichever datasets it is in.
select
    corpus,
    sequence_id,
    token_offset,
    tokens
from {{ ref('int_evaluated_sequences') }}
