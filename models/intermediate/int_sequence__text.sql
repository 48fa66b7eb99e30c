-- One row per evaluated sequence: its window, prompt and continuation as text; NULL where the corpus has no tokenizer.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_evaluated_sequences',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'tokens_checksum'],
        'fingerprint': fingerprint(
            version=1,
            vars=['prompt_length', 'continuation_length'],
            columns=['tokenizer_checksum']
        ),
        'udfs': ['detokenize'],
        'setup': 'require_registered_tokenizer',
    }
) }}

select
    corpus,
    sequence_id,
    token_offset,
    tokens_checksum,
    detokenize(tokens, tokenizer) as text,
    detokenize(prompt, tokenizer) as prompt_text,
    detokenize(continuation, tokenizer) as continuation_text
from {{ ref('int_evaluated_sequences') }}
