-- One row per corpus and token with a published frequency: among the tokens of memorized and of other sequences together.
select
    corpus,
    token_id,
    cast(sum(frequency) as bigint) as frequency
from {{ source('raw', 'published_token_frequencies') }}
group by corpus, token_id
