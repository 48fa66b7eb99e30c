-- One row per evaluated sequence and model: what one teacher-forced pass of the model says of the window.
{{ config(
    materialized='chunked',
    tags=['language_model'],
    meta={
        'input': 'int_sequence_models',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'model', 'revision', 'tokens_checksum'],
        'fingerprint': fingerprint(
            version=3,
            vars=['prompt_length', 'continuation_length', 'sampling_temperature', 'sampling_top_k'],
            columns=['model', 'revision', 'model_checksum', 'dtype']
        ),
        'udfs': ['score_continuation_with'],
        'setup': 'require_usable_model',
        'only': in_score_shard(),
        'stale': lacks_what_is_asked_for(),
    },
    post_hook="select release_language_model(true)"
) }}

with scored as (
    select
        corpus,
        sequence_id,
        token_offset,
        tokens_checksum,
        model,
        revision,
        score_continuation_with(
            tokens,
            location,
            scored_revision,
            {{ var('prompt_length') }},
            {{ language_model_options(everything=true) }}
        ) as score
    from {{ ref('int_sequence_models') }}
)

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    model,
    revision,
    score.*  -- noqa: AM04
from scored
