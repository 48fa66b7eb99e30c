-- One row per shard, model, revision and token id: the occurrences of the token in the shard's sequences that hold a window
-- which the model is known to have memorized.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_shard_memorized',
        'unique_key': ['corpus', 'shard_id', 'model', 'revision'],
        'fingerprint': fingerprint(version=1, columns=['shard_id', 'shard_checksum', 'model', 'revision', 'memorized_checksum']),
        'udfs': ['count_tokens', 'count_tokens_uint16'],
        'chunk_rows': 0,
        'setup': 'corpus_scan',
    }
) }}

with wanted as (
    select {{ each_item('sequence_ids') }} as sequence_id
    from {{ ref('int_shard_memorized') }}
),

counts as (
    -- A chunk is of one shard and model, so that its counts need no names.
    select {{ each_struct(scan_udf('count_tokens') ~ '(scanned.tokens)') }}
    from {{ scanned_shard() }} as scanned
    inner join wanted
        on scanned.sequence_id = wanted.sequence_id
),

totals as (
    select
        token_id,
        sum(frequency) as memorized_frequency
    from counts
    group by token_id
)

select
    memorized.corpus,
    memorized.shard_id,
    memorized.model,
    memorized.revision,
    totals.token_id,
    cast(totals.memorized_frequency as bigint) as memorized_frequency
from {{ ref('int_shard_memorized') }} as memorized
cross join totals
union all
-- A row that is always there, of no token: it says that the shard was looked at, also where nothing was found.
select
    corpus,
    shard_id,
    model,
    revision,
    cast(null as bigint) as token_id,
    0 as memorized_frequency
from {{ ref('int_shard_memorized') }}
