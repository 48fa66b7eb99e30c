-- One row per shard and token id that occurs in it: its occurrences among all tokens of the shard.
{{ config(
    materialized='chunked',
    meta={
        'input': 'stg_corpus_shards',
        'unique_key': ['corpus', 'shard_id'],
        'fingerprint': fingerprint(version=1, columns=['shard_id', 'shard_checksum']),
        'udfs': [],
        'chunk_rows': 0,
        'setup': 'corpus_scan',
    }
) }}

with tokens as (
    select unnest(tokens) as token_id
    from {{ scanned_shard() }}
),

counts as (
    select
        token_id,
        count(*) as frequency
    from tokens
    group by token_id
)

select
    shards.corpus,
    shards.shard_id,
    cast(counts.token_id as bigint) as token_id,
    cast(counts.frequency as bigint) as frequency
from {{ ref('stg_corpus_shards') }} as shards
cross join counts
