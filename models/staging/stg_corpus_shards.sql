-- One row per shard of a corpus: the unit by which counts over a corpus are computed and added up.
select
    corpus,
    shard_id,
    storage,
    format,
    checksum as shard_checksum,
    token_dtype,
    n_sequences,
    n_tokens,
    first_sequence_id,
    last_sequence_id
from {{ source('raw', 'corpus_shards') }}
