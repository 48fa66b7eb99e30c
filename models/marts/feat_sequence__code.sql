-- One row per evaluated sequence: how sure a classifier is that its text is natural language, and what to call it. Where there
-- is no text to classify, the published score stands in, under the thresholds of its own classifier.
select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    coalesce(sequences.nl_score, published.nl_score) as nl_score,
    case
        when sequences.nl_score < {{ var('nl_score_code_below') }} then 'code'
        when sequences.nl_score >= {{ var('nl_score_language_from') }} then 'nl'
        when sequences.nl_score is not null then 'uncertain'
        when published.nl_score <= {{ var('paper_nl_score_code_up_to') }} then 'code'
        when published.nl_score >= {{ var('paper_nl_score_language_from') }} then 'nl'
        when published.nl_score is not null then 'uncertain'
    end as code_type,
    case
        when sequences.nl_score is not null then 'computed'
        when published.nl_score is not null then 'published'
    end as code_origin
from {{ ref('int_sequence__code') }} as sequences
left join {{ ref('stg_published_values') }} as published
    on
        sequences.corpus = published.corpus
        and sequences.sequence_id = published.sequence_id
        and sequences.token_offset = published.token_offset
        and published.model is null
