-- One row per evaluated sequence and model: what one teacher-forced pass of the model says of the window.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_sequence_models',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'model', 'revision'],
        'fingerprint': fingerprint(
            version=1,
            vars=['prompt_length', 'continuation_length', 'model_dtype'],
            columns=['model', 'revision', 'model_checksum']
        ),
        'udfs': ['score_continuation'],
    }
) }}

with scored as (
    select
        corpus,
        sequence_id,
        token_offset,
        model,
        revision,
        score_continuation(
            tokens, location, revision, {{ var('prompt_length') }}, '{{ var("model_dtype") }}'
        ) as score
    from {{ ref('int_sequence_models') }}
)

select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    unnest(score)
from scored
