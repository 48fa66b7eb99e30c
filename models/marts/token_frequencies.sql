-- One row per corpus and token id that occurs in it: how often, among all its tokens.
select
    corpus,
    token_id,
    cast(sum(frequency) as bigint) as frequency
from {{ ref('int_shard_token__frequencies') }}
group by corpus, token_id
