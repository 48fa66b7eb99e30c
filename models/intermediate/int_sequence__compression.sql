-- One row per evaluated sequence: how far its text compresses, one character at a time.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_sequence__text',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'tokens_checksum'],
        'fingerprint': fingerprint(version=1, columns=['fingerprint']),
        'udfs': ['huffman_code_length', 'paper_huffman_coding_length'],
    }
) }}

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    huffman_code_length(text) as huffman_code_length,
    paper_huffman_coding_length(text) as paper_huffman_coding_length
from {{ ref('int_sequence__text') }}
