-- One row per evaluated sequence and model that scored it here, or of which a score was published; `memorized` is NULL where
-- the model computed NaN and nothing was published.
with published as (
    -- Datasets that name one window for one model agree on its score: a test in tests/data says so.
    select
        corpus,
        sequence_id,
        token_offset,
        model,
        revision,
        max(published_memorization_score) as published_memorization_score
    from {{ ref('stg_published_scores') }}
    group by corpus, sequence_id, token_offset, model, revision
),

known as (
    select
        corpus,
        sequence_id,
        token_offset,
        model,
        revision,
        scores.greedy_match_length,
        scores.memorized as computed_memorized,
        generations.generated_memorization_score,
        published.published_memorization_score
    from {{ ref('int_sequence_model__scores') }} as scores
    full outer join published
        using (corpus, sequence_id, token_offset, model, revision)
    left join {{ ref('int_sequence_model__generations') }} as generations
        using (corpus, sequence_id, token_offset, model, revision)
)

select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    greedy_match_length,
    coalesce(computed_memorized, published_memorization_score = 1) as memorized,
    -- The teacher-forced share of right tokens is no score: after a miss the model would have gone on differently. A
    -- published 1 that was not reproduced is none either, since 1 means memorized.
    case
        when computed_memorized then 1.0
        when not computed_memorized
            then coalesce(generated_memorization_score, nullif(published_memorization_score, 1))
        else published_memorization_score
    end as memorization_score,
    published_memorization_score
from known
