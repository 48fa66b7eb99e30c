-- One row per shard of a corpus and model: which of the shard's sequences hold a window that the model is known to have
-- memorized, as one list. Ids may be taken from where other shards of the corpus have gaps, so that the list may name
-- sequences between the shard's first and last that are not in it.
with memorized as (
    select
        shards.corpus,
        shards.shard_id,
        memorization.model,
        memorization.revision,
        {{ collected_distinct('memorization.sequence_id') }} as sequence_ids
    from {{ ref('stg_corpus_shards') }} as shards
    inner join {{ ref('int_sequence_model__memorization') }} as memorization
        on
            shards.corpus = memorization.corpus
            and memorization.sequence_id between shards.first_sequence_id and shards.last_sequence_id
    where memorization.memorized
    group by shards.corpus, shards.shard_id, memorization.model, memorization.revision
)

select
    memorized.corpus,
    memorized.shard_id,
    memorized.model,
    memorized.revision,
    shards.storage,
    shards.token_dtype,
    shards.shard_checksum,
    memorized.sequence_ids,
    md5({{ as_text('memorized.sequence_ids') }}) as memorized_checksum
from {{ ref('stg_corpus_shards') }} as shards
inner join memorized
    using (corpus, shard_id)
