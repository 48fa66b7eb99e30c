-- One row per shard and token id that occurs in it: its occurrences among all tokens of the shard, as the scan of the shard
-- found them.
select
    corpus,
    shard_id,
    {{ each_struct('frequencies') }}
from {{ ref('int_shard_window__counts') }}
where span = 'tokens'
