-- One row per shard, model, revision and token id: the occurrences of the token in the shard's sequences that hold a window
-- which the model is known to have memorized.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_shard_memorized',
        'unique_key': ['corpus', 'shard_id', 'model', 'revision'],
        'fingerprint': fingerprint(version=1, columns=['shard_id', 'shard_checksum', 'model', 'revision', 'memorized_checksum']),
        'udfs': [],
        'chunk_rows': 0,
        'setup': 'corpus_scan',
    }
) }}

with wanted as (
    select
        corpus,
        shard_id,
        model,
        revision,
        {{ each_item('sequence_ids') }} as sequence_id
    from {{ ref('int_shard_memorized') }}
),

tokens as (
    select
        wanted.corpus,
        wanted.shard_id,
        wanted.model,
        wanted.revision,
        unnest(scanned.tokens) as token_id
    from {{ scanned_shard() }} as scanned
    inner join wanted
        on scanned.sequence_id = wanted.sequence_id
)

select
    corpus,
    shard_id,
    model,
    revision,
    cast(token_id as bigint) as token_id,
    count(*) as memorized_frequency
from tokens
group by corpus, shard_id, model, revision, token_id
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
