-- One row per shard of a corpus and model: which of the corpus' sequences hold a window that the model is known to have
-- memorized, as one list.
with memorized as (
    select
        corpus,
        model,
        revision,
        {{ collected_distinct('sequence_id') }} as sequence_ids
    from {{ ref('int_sequence_model__memorization') }}
    where memorized
    group by corpus, model, revision
)

select
    shards.corpus,
    shards.shard_id,
    memorized.model,
    memorized.revision,
    shards.storage,
    shards.token_dtype,
    shards.shard_checksum,
    memorized.sequence_ids,
    md5({{ as_text('memorized.sequence_ids') }}) as memorized_checksum
from {{ ref('stg_corpus_shards') }} as shards
inner join memorized
    on shards.corpus = memorized.corpus
