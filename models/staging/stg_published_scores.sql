-- One row per dataset, evaluated sequence and model that was published with a score.
select
    dataset,
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    score as published_memorization_score
from {{ source('raw', 'published_scores') }}
where score is not null
