-- One row per evaluated sequence: what its text means, as a vector of 384 numbers. NULL where there is no text, or no model
-- is named. Stored once; whatever compares sequences reads it here.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_sequence__text',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'tokens_checksum'],
        'fingerprint': fingerprint(
            version=1,
            columns=['fingerprint'],
            expressions=['embedding_model_checksum(case when text is not null then ' ~ embedding_model() ~ ' end)']
        ),
        'udfs': ['embed_with'],
    }
) }}

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    text is not null and {{ embedding_model() }} is not null as is_embedded,
    embed_with(text, {{ embedding_model() }}) as embedding
from {{ ref('int_sequence__text') }}
