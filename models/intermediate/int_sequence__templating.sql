-- One row per evaluated sequence: whether its text follows a pattern. NULL where there is no text to look at.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_sequence__text',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'tokens_checksum'],
        'fingerprint': fingerprint(version=1, columns=['fingerprint']),
        'udfs': ['templating'],
    }
) }}

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    templating(text) as templating
from {{ ref('int_sequence__text') }}
