-- One row per shard, evaluated sequence and span: the exact occurrences of the span in that shard, and the first places of a
-- continuation. Shards add up, so that appending one costs a scan of that one only, and so does a new evaluated
-- sequence: the pending spans make one query table, and one pass over the shard's tokens counts them all.
-- The row of the span `tokens` holds the shard's token frequencies; they come from the same pass, where they are pending.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_shard_windows',
        'unique_key': ['corpus', 'shard_id', 'sequence_id', 'token_offset', 'tokens_checksum', 'span'],
        'fingerprint': "case when span = 'tokens' then " ~ fingerprint(version=1, columns=['shard_id', 'shard_checksum'])
        ~ " else " ~ fingerprint(
            version=2,
            vars=['prompt_length', 'continuation_length', 'duplicate_occurrences'],
            columns=['shard_id', 'shard_checksum']
        ) ~ " end",
        'udfs': ['count_windows_and_tokens', 'count_windows_and_tokens_uint16', 'find_window'],
        'chunk_by': 'shard_id',
        'chunk_rows': 0,
        'row_bytes': 1100,
        'setup': 'corpus_scan',
        'windows': 'span_tokens',
    }
) }}

with pending as {{ computed_once() }} (
    select
        *,
        find_window(span_tokens, {{ scan_query_table() }}) as query_index
    from {{ ref('int_shard_windows') }}
),

hits as (
    -- One row per sequence of the shard and window found in it; and of a batch of sequences, one row per token in it.
    select
        sequence_id,
        {{ each_struct(
            scan_udf('count_windows_and_tokens') ~ "(tokens, " ~ scan_query_table() ~ ", (select count(*) > 0 from "
            ~ ref('int_shard_windows') ~ " where span = 'tokens'))"
        ) }}
    from {{ scanned_shard() }}
),

continuations as (
    select distinct query_index
    from pending
    where span = 'continuation'
),

counts as {{ computed_once() }} (
    -- The hint is Spark's, which would else send all hits of a window, or all tokens, to one task to join them.
    select /*+ broadcast(continuations) */
        hits.query_index,
        hits.token_id,
        cast(sum(hits.occurrences) as bigint) as occurrences,
        count(*) as sequences,
        -- Costs more than all other sums, a kilobyte a window that does not spill, so that only what is kept is gathered.
        {{ smallest(
            struct_of({
                'sequence_id': 'hits.sequence_id', 'token_offset': 'hits.first_offset', 'occurrences': 'hits.occurrences'
            }),
            'hits.sequence_id',
            var('duplicate_occurrences'),
            'continuations.query_index is not null'
        ) }} as places
    from hits
    left join continuations
        on hits.query_index = continuations.query_index
    group by hits.query_index, hits.token_id
),

frequencies as (
    select {{ collected_in_order(struct_of({'token_id': 'token_id', 'frequency': 'occurrences'}), 'token_id') }} as frequencies
    from counts
    where token_id is not null
)

select
    pending.corpus,
    pending.shard_id,
    pending.sequence_id,
    pending.token_offset,
    pending.tokens_checksum,
    pending.span,
    coalesce(counts.occurrences, 0) as occurrences,
    coalesce(counts.sequences, 0) as sequences,
    case when pending.span = 'continuation' then coalesce(counts.places, {{ list_of([]) }}) end as places,
    null as frequencies
from pending
left join counts
    on pending.query_index = counts.query_index
where pending.span != 'tokens'
union all
select
    pending.corpus,
    pending.shard_id,
    pending.sequence_id,
    pending.token_offset,
    pending.tokens_checksum,
    pending.span,
    null as occurrences,
    null as sequences,
    null as places,
    coalesce(frequencies.frequencies, {{ list_of([]) }}) as frequencies
from pending
cross join frequencies
where pending.span = 'tokens'
