-- One row per evaluated sequence, cut into prompt and continuation, with the tokenizer that its corpus names. The input of
-- every feature of a sequence alone. A stored window that is longer than the vars ask for is cut to them: every feature is then
-- of the same tokens, those that the language models see.
{%- set length = var('prompt_length') ~ ' + ' ~ var('continuation_length') %}
with windows as (
    select
        corpus,
        sequence_id,
        token_offset,
        {{ list_part('tokens', 1, length) }} as tokens
    from {{ ref('stg_evaluated_sequences') }}
)

select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    sequences.tokens,
    -- A dataset that is replaced may bring other tokens under the same key; what was computed of the old ones must not stay.
    md5({{ as_text('sequences.tokens') }}) as tokens_checksum,
    {{ list_part('sequences.tokens', 1, var('prompt_length')) }} as prompt,
    {{ list_part('sequences.tokens', var('prompt_length') ~ ' + 1', length) }} as continuation,
    corpora.tokenizer,
    corpora.tokenizer_checksum
from windows as sequences
left join {{ ref('stg_corpora') }} as corpora
    on sequences.corpus = corpora.corpus
