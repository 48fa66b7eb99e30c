-- One row per evaluated sequence: its window, prompt and continuation as text.
select
    corpus,
    sequence_id,
    token_offset,
    text,
    prompt_text,
    continuation_text
from {{ ref('int_sequence__text') }}
