-- One row per evaluated sequence and model that misses a token of its continuation: where generation could go on.
select
    pairs.corpus,
    pairs.sequence_id,
    pairs.token_offset,
    pairs.tokens_checksum,
    pairs.model,
    pairs.revision,
    pairs.location,
    pairs.scored_revision,
    pairs.model_checksum,
    pairs.vocabulary_size,
    pairs.dtype,
    pairs.device,
    pairs.tokens,
    scores.greedy_match_length
from {{ ref('int_sequence_models') }} as pairs
inner join {{ ref('int_sequence_model__scores') }} as scores
    using (corpus, sequence_id, token_offset, model, revision, tokens_checksum)
where not scores.memorized
