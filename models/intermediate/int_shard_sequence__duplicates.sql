-- One row per shard and evaluated sequence: the exact occurrences of its continuation in that shard. Shards add up, so that
-- appending one costs a scan of that one only, and so does a new evaluated sequence: the pending continuations of a
-- shard make one query table, and one pass over the shard's tokens counts them all.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_shard_sequences',
        'unique_key': ['corpus', 'shard_id', 'sequence_id', 'token_offset'],
        'fingerprint': fingerprint(
            version=1,
            vars=['prompt_length', 'continuation_length'],
            columns=['shard_id', 'shard_checksum']
        ),
        'udfs': ['count_windows', 'count_windows_uint16', 'find_window'],
        'chunk_rows': 0,
        'setup': 'corpus_scan',
        'windows': 'continuation',
    }
) }}

with hits as (
    -- One row per sequence of the shard and window found in it.
    select unnest({{ scan_count_windows('tokens') }}, recursive := true)
    from {{ scanned_shard() }}
),

counts as (
    select
        query_index,
        sum(occurrences) as occurrences,
        count(*) as sequences
    from hits
    group by query_index
),

pending as (
    select
        *,
        find_window(continuation, {{ scan_query_table() }}) as query_index
    from {{ ref('int_shard_sequences') }}
)

select
    pending.corpus,
    pending.shard_id,
    pending.sequence_id,
    pending.token_offset,
    cast(coalesce(counts.occurrences, 0) as bigint) as sequence_duplicates,
    cast(coalesce(counts.sequences, 0) as bigint) as duplicate_sequences
from pending
left join counts
    on pending.query_index = counts.query_index
