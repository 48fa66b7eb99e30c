-- Evaluated sequences for which a language model computed NaN or infinity: they have no measures, and are listed here.
{{ config(severity='warn') }}

select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision
from {{ ref('int_sequence_model__scores') }}
where loss is null
