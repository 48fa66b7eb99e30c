-- Two datasets may bring a score of one window by one model; fct_memorization keeps one, so they have to be the same. No generic
-- test compares rows with each other.
select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    count(distinct published_memorization_score) as n_scores
from {{ ref('stg_published_scores') }}
group by corpus, sequence_id, token_offset, model, revision
having count(distinct published_memorization_score) > 1
