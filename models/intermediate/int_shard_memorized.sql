-- One row per shard of a corpus: which of its corpus' sequences hold a window that a model is known to have memorized, as
-- one list for each model and revision.
with memorized as (
    select
        corpus,
        model,
        revision,
        list(distinct sequence_id order by sequence_id) as sequence_ids
    from {{ ref('int_sequence_model__memorization') }}
    where memorized
    group by corpus, model, revision
),

by_corpus as (
    select
        corpus,
        list(
            struct_pack(model := model, revision := revision, sequence_ids := sequence_ids)
            order by model, revision
        ) as memorized
    from memorized
    group by corpus
)

select
    shards.corpus,
    shards.shard_id,
    shards.storage,
    shards.token_dtype,
    shards.shard_checksum,
    by_corpus.memorized,
    md5(cast(by_corpus.memorized as varchar)) as memorized_checksum
from {{ ref('stg_corpus_shards') }} as shards
inner join by_corpus
    on shards.corpus = by_corpus.corpus
