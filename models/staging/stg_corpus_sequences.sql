-- One row per landed sequence, for looking sequences up. Scans go to one shard's own table instead (macros/corpus_scan),
-- where no token is widened.
select
    corpus,
    shard_id,
    sequence_id,
    {{ tokens_as_list('tokens', 2) }} as tokens
from {{ source('raw', 'corpus_sequences_uint16') }}
union all
select
    corpus,
    shard_id,
    sequence_id,
    {{ tokens_as_list('tokens', 4) }} as tokens
from {{ source('raw', 'corpus_sequences_uint32') }}
