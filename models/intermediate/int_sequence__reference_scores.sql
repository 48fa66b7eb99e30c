-- One row per evaluated sequence whose reference model was trained on another corpus: how probable the continuation is to
-- it. In nats of the same text, so that models with different tokenizers can be compared. NULL where a window is longer
-- than the reference model takes: a test in tests/data warns of those.
{{ config(
    materialized='chunked',
    tags=['language_model'],
    meta={
        'input': 'int_sequence_references',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'model', 'revision', 'tokens_checksum'],
        'fingerprint': fingerprint(
            version=2,
            vars=['prompt_length', 'continuation_length'],
            columns=[
                'model', 'revision', 'model_checksum', 'dtype', 'reference_tokenizer_checksum', 'tokenizer_checksum',
                'text_fingerprint'
            ]
        ),
        'udfs': ['score_continuation_with'],
        'setup': 'require_registered_reference',
        'only': in_score_shard(),
    },
    post_hook="select release_language_model(true)"
) }}

with windows as (
    select
        *,
        case
            when shares_tokenizer then {{ struct_of({'tokens': 'tokens', 'prompt_length': var('prompt_length')}) }}
            else tokenize_window(prompt, tokens, prompt_text, text, tokenizer, reference_tokenizer)
        end as seen,
        language_model_positions(location, scored_revision) as positions
    from {{ ref('int_sequence_references') }}
),

scored as (
    select
        corpus,
        sequence_id,
        token_offset,
        tokens_checksum,
        model,
        revision,
        score_continuation_with(
            case when {{ list_length('seen.tokens') }} > positions then null else seen.tokens end,
            location,
            scored_revision,
            seen.prompt_length,
            {{ language_model_options() }}
        ) as score
    from windows
)

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    model,
    revision,
    score.continuation_log_probability
from scored
