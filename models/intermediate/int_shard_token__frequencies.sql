-- One row per shard and token id that occurs in it: its occurrences among all tokens of the shard.
{{ config(
    materialized='chunked',
    meta={
        'input': 'stg_corpus_shards',
        'unique_key': ['corpus', 'shard_id'],
        'fingerprint': fingerprint(version=1, columns=['shard_id', 'shard_checksum']),
        'udfs': ['count_tokens', 'count_tokens_uint16'],
        'chunk_rows': 0,
        'setup': 'corpus_scan',
    }
) }}

with counts as (
    -- A batch of sequences brings its counts as one list, so that no row is made for a token of the corpus.
    select {{ each_struct(scan_udf('count_tokens') ~ '(tokens)') }}
    from {{ scanned_shard() }}
),

totals as (
    select
        token_id,
        sum(frequency) as frequency
    from counts
    group by token_id
)

select
    shards.corpus,
    shards.shard_id,
    totals.token_id,
    cast(totals.frequency as bigint) as frequency
from {{ ref('stg_corpus_shards') }} as shards
cross join totals
