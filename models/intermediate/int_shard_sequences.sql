-- One row per shard of a corpus and evaluated sequence of it: what has to be counted where. Only corpora that have been
-- landed or registered have shards; the sequences of others cannot be counted.
select
    shards.corpus,
    shards.shard_id,
    sequences.sequence_id,
    sequences.token_offset,
    sequences.continuation,
    shards.shard_checksum,
    shards.storage,
    shards.token_dtype
from {{ ref('stg_corpus_shards') }} as shards
inner join {{ ref('int_evaluated_sequences') }} as sequences
    on shards.corpus = sequences.corpus
