-- One row per evaluated sequence and model that misses a token of its continuation: what it generates instead, and the
-- share of the continuation that this gets right. Empty unless the var generate_after_miss asks for it. Fingerprints differ
-- by the miss, so that chunks are told to keep to one model: in the order of fingerprints, models would take turns.
{{ config(
    materialized='chunked',
    tags=['language_model'],
    meta={
        'input': 'int_sequence_model__misses',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'model', 'revision', 'tokens_checksum'],
        'fingerprint': fingerprint(
            version=1,
            vars=['prompt_length', 'continuation_length'],
            columns=['model', 'revision', 'model_checksum', 'dtype', 'greedy_match_length']
        ),
        'udfs': ['generate_continuation'],
        'chunk_by': "model || '@' || revision",
        'setup': 'require_usable_model',
        'only': (var('generate_after_miss') | string) ~ ' and ' ~ in_score_shard(),
    },
    post_hook="select release_language_model(true)"
) }}

with generated as (
    select
        corpus,
        sequence_id,
        token_offset,
        tokens_checksum,
        model,
        revision,
        {{ list_part('tokens', var('prompt_length') ~ ' + 1') }} as continuation,
        generate_continuation(
            tokens,
            location,
            scored_revision,
            {{ var('prompt_length') }},
            greedy_match_length,
            {{ language_model_options() }}
        ) as generated_continuation
    from {{ ref('int_sequence_model__misses') }}
)

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    model,
    revision,
    generated_continuation,
    -- Token by token, as the published scores are.
    {{ share_of_equal_items('generated_continuation', 'continuation') }} as generated_memorization_score
from generated
