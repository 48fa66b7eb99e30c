-- One row per evaluated sequence, with a digest of the shards of its corpus whose tokens have been counted: what a feature
-- depends on that looks at all these counts. Of those alone, since a run may be of some models only: what it computed before a
-- new shard was counted is not what is wanted after. NULL where the corpus was not landed.
with corpora as (
    select
        corpus,
        md5({{ joined_text('tokens_checksum', '|', 'shard_id') }}) as corpus_checksum
    from {{ ref('int_shard_window__counts') }}
    where span = 'tokens'
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
