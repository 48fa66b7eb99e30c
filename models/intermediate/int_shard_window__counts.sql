-- One row per shard, evaluated sequence and span: the exact occurrences of the span in that shard, and the first places of a
-- continuation. Shards add up, so that appending one costs a scan of that one only, and so does a new evaluated
-- sequence: the pending spans make one query table, and one pass over the shard's tokens counts them all.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_shard_windows',
        'unique_key': ['corpus', 'shard_id', 'sequence_id', 'token_offset', 'tokens_checksum', 'span'],
        'fingerprint': fingerprint(
            version=2,
            vars=['prompt_length', 'continuation_length', 'duplicate_occurrences'],
            columns=['shard_id', 'shard_checksum']
        ),
        'udfs': ['count_windows', 'count_windows_uint16', 'find_window'],
        'chunk_rows': 0,
        'setup': 'corpus_scan',
        'windows': 'span_tokens',
    }
) }}

with hits as (
    -- One row per sequence of the shard and window found in it.
    select
        sequence_id,
        {{ each_struct(scan_udf('count_windows') ~ '(tokens, ' ~ scan_query_table() ~ ')') }}
    from {{ scanned_shard() }}
),

counts as (
    select
        query_index,
        sum(occurrences) as occurrences,
        count(*) as sequences,
        {{ smallest(
            struct_of({'sequence_id': 'sequence_id', 'token_offset': 'first_offset', 'occurrences': 'occurrences'}),
            'sequence_id',
            var('duplicate_occurrences')
        ) }} as places
    from hits
    group by query_index
),

pending as (
    select
        *,
        find_window(span_tokens, {{ scan_query_table() }}) as query_index
    from {{ ref('int_shard_windows') }}
)

select
    pending.corpus,
    pending.shard_id,
    pending.sequence_id,
    pending.token_offset,
    pending.tokens_checksum,
    pending.span,
    cast(coalesce(counts.occurrences, 0) as bigint) as occurrences,
    cast(coalesce(counts.sequences, 0) as bigint) as sequences,
    case when pending.span = 'continuation' then coalesce(counts.places, {{ list_of([]) }}) end as places
from pending
left join counts
    on pending.query_index = counts.query_index
