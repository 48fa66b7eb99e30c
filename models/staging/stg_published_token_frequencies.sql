-- One row per corpus and token with a published frequency: among the tokens of memorized and of other sequences together.
select
    tables.corpus,
    landed.token_id,
    cast(sum(landed.frequency) as bigint) as frequency
from {{ source('raw', 'published_token_frequencies') }} as landed
inner join {{ source('raw', 'published_tables') }} as tables
    on landed.table_id = tables.table_id
group by tables.corpus, landed.token_id
