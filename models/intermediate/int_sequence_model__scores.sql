-- One row per evaluated sequence and model: what one teacher-forced pass of the model says of the window.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_sequence_models',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'model', 'revision', 'tokens_checksum'],
        'fingerprint': fingerprint(
            version=1,
            vars=['prompt_length', 'continuation_length', 'model_dtype'],
            columns=['model', 'revision', 'model_checksum']
        ),
        'udfs': ['score_continuation'],
        'setup': 'require_registered_model',
    }
) }}

with scored as (
    select
        corpus,
        sequence_id,
        token_offset,
        tokens_checksum,
        model,
        revision,
        score_continuation(
            tokens, location, scored_revision, {{ var('prompt_length') }}, '{{ var("model_dtype") }}'
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
    unnest(score)
from scored
