-- One row per corpus and token id that occurs in it: how often, among all its tokens. Published where the corpus itself was
-- not landed.
select
    corpus,
    token_id,
    cast(sum(frequency) as bigint) as frequency,
    'computed' as frequency_origin
from {{ ref('int_shard_token__frequencies') }}
group by corpus, token_id
union all
select
    corpus,
    token_id,
    frequency,
    'published' as frequency_origin
from {{ ref('stg_published_token_frequencies') }}
where corpus not in (select corpus from {{ ref('stg_corpus_shards') }})
