-- One row per evaluated sequence: repetition among its tokens, by the paper's older filters. Needs no tokenizer.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_evaluated_sequences',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'tokens_checksum'],
        'fingerprint': fingerprint(version=1),
        'udfs': ['token_runs'],
    }
) }}

with found as (
    select
        corpus,
        sequence_id,
        token_offset,
        tokens_checksum,
        token_runs(tokens) as runs
    from {{ ref('int_evaluated_sequences') }}
)

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    runs.*  -- noqa: AM04
from found
