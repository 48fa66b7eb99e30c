-- One row per evaluated sequence: how sure a classifier is that its text is natural language, and what to call it.
select
    corpus,
    sequence_id,
    token_offset,
    nl_score,
    case
        when nl_score < {{ var('nl_score_code_below') }} then 'code'
        when nl_score >= {{ var('nl_score_language_from') }} then 'nl'
        when nl_score is not null then 'uncertain'
    end as code_type
from {{ ref('int_sequence__code') }}
