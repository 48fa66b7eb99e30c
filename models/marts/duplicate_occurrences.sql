-- One row per evaluated sequence and sequence of the corpus that holds its continuation, for the first few of them: the
-- evidence behind sequence_duplicates, itself included.
with places as (
    select
        corpus,
        sequence_id,
        token_offset,
        {{ each_item('places') }} as place
    from {{ ref('int_shard_window__counts') }}
    where span = 'continuation'
),

ranked as (
    select
        *,
        row_number() over (
            partition by corpus, sequence_id, token_offset order by place.sequence_id
        ) as place_rank
    from places
)

select
    corpus,
    sequence_id,
    token_offset,
    cast(place_rank as integer) as place_rank,
    place.sequence_id as occurrence_sequence_id,
    place.token_offset as occurrence_token_offset,
    cast(place.occurrences as bigint) as occurrences
from ranked
where place_rank <= {{ var('duplicate_occurrences') }}
