-- A generic test cannot compare a list's length with two vars. A window of another length comes from a dataset that was drawn or
-- ingested under other vars: draw it again (memtax sample … --replace), or set the vars back.
select
    corpus,
    sequence_id,
    token_offset,
    len(tokens) as n_tokens
from {{ ref('stg_evaluated_sequences') }}
where len(tokens) < {{ var('prompt_length') }} + {{ var('continuation_length') }}
