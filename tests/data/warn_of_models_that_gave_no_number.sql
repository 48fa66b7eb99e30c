-- Evaluated sequences that a language model gave no number for, and what of: it computed NaN or infinity, or, as a reference
-- model, takes no window as long as this one or saw none of its text.
{{ config(severity='warn') }}

select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    'the window' as gave_none_of
from {{ ref('int_sequence_model__scores') }}
where loss is null

union all

select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    'its prompt of ' || {{ as_text('prompt_length') }} || ' tokens' as gave_none_of
from {{ ref('int_sequence_model_prompt__scores') }}
where memorized is null

union all

select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    'a generation' as gave_none_of
from {{ ref('int_sequence_model__generations') }}
where generated_continuation is null

union all

select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    'a prior' as gave_none_of
from {{ ref('int_sequence__reference_scores') }}
where continuation_log_probability is null
