-- One row per evaluated sequence, model and shorter prompt: how much of the continuation the model recites after it.
{{ config(
    materialized='chunked',
    tags=['language_model'],
    meta={
        'input': 'int_sequence_model_prompts',
        'unique_key': [
            'corpus', 'sequence_id', 'token_offset', 'model', 'revision', 'prompt_length', 'tokens_checksum'
        ],
        'fingerprint': fingerprint(
            version=2,
            vars=['prompt_length', 'continuation_length', 'sampling_temperature', 'sampling_top_k'],
            columns=['model', 'revision', 'model_checksum', 'dtype']
        ),
        'udfs': ['score_continuation_with'],
        'setup': 'require_usable_model',
        'only': in_score_shard(),
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
        prompt_length,
        score_continuation_with(
            tokens, location, scored_revision, prompt_length, {{ language_model_options() }}
        ) as score
    from {{ ref('int_sequence_model_prompts') }}
)

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    model,
    revision,
    prompt_length,
    score.generation_perplexity,
    score.continuation_log_probability,
    score.sampling_log_probability,
    score.greedy_match_length,
    score.memorized
from scored
