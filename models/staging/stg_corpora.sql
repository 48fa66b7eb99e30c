-- One row per corpus.
select
    corpus,
    tokenizer,
    tokenizer_checksum,
    vocabulary_size,
    sequence_length
from {{ source('raw', 'corpora') }}
