-- One row per evaluated sequence, model and shorter prompt that the var prompt_lengths names: the window without the
-- beginning of its prompt.
with lengths as (
    select {{ each_item(list_of_integers(shorter_prompt_lengths())) }} as prompt_length
)

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
    lengths.prompt_length,
    {{ list_part('pairs.tokens', var('prompt_length') ~ ' - lengths.prompt_length + 1') }} as tokens
from {{ ref('int_sequence_models') }} as pairs
cross join lengths
