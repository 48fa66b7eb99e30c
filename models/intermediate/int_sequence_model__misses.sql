-- One row per evaluated sequence and model that misses a token of its continuation: where generation could go on.
select
    pairs.*,
    scores.greedy_match_length
from {{ ref('int_sequence_models') }} as pairs
inner join {{ ref('int_sequence_model__scores') }} as scores
    using (corpus, sequence_id, token_offset, model, revision, tokens_checksum)
where not scores.memorized
