-- One row per evaluated sequence, with a digest of all shards of its corpus: what a feature depends on that looks at the
-- whole corpus. NULL where the corpus was not landed.
with corpora as (
    select
        corpus,
        md5({{ joined_text('shard_checksum', '|', 'shard_id') }}) as corpus_checksum
    from {{ ref('stg_corpus_shards') }}
    group by corpus
)

select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    sequences.tokens_checksum,
    sequences.tokens,
    corpora.corpus_checksum
from {{ ref('int_evaluated_sequences') }} as sequences
left join corpora
    on sequences.corpus = corpora.corpus
