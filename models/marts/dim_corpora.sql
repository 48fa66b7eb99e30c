-- One row per corpus: its size and how its tokens are stored.
with shards as (
    select
        corpus,
        sum(n_sequences) as n_sequences,
        sum(n_tokens) as n_tokens,
        -- Shards of one corpus may differ in width; the widest holds every token.
        max(token_dtype) as token_dtype
    from {{ ref('stg_corpus_shards') }}
    group by corpus
)

select
    corpora.corpus,
    cast(coalesce(shards.n_sequences, 0) as bigint) as n_sequences,
    corpora.sequence_length,
    cast(coalesce(shards.n_tokens, 0) as bigint) as n_tokens,
    shards.token_dtype,
    corpora.tokenizer
from {{ ref('stg_corpora') }} as corpora
left join shards
    on corpora.corpus = shards.corpus
