-- One row per evaluated sequence, model and shorter prompt that the var prompt_lengths names: the window without the
-- beginning of its prompt.
select
    pairs.* exclude (tokens),
    lengths.prompt_length,
    pairs.tokens[{{ var('prompt_length') }} - lengths.prompt_length + 1:] as tokens
from {{ ref('int_sequence_models') }} as pairs
cross join (
    select unnest(cast({{ shorter_prompt_lengths() }} as integer [])) as prompt_length
) as lengths
