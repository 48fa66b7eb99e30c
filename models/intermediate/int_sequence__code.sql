-- One row per evaluated sequence: the probability that its text is natural language. NULL where there is no text.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_sequence__text',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'tokens_checksum'],
        'fingerprint': fingerprint(
            version=1,
            vars=['nl_score_with'],
            columns=['fingerprint'],
            expressions=['nl_model_checksum(' ~ literal(var('nl_score_with')) ~ ')']
        ),
        'udfs': ['nl_score_with'],
    }
) }}

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    nl_score_with(text, {{ literal(var('nl_score_with')) }}) as nl_score
from {{ ref('int_sequence__text') }}
