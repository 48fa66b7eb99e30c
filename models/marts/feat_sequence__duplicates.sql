-- One row per evaluated sequence: the exact occurrences of its continuation, of its prompt and of both together in the whole
-- corpus, added up over shards. Where the corpus itself was not landed nothing could be counted: the published count of
-- continuations, if one was landed, else NULL.
with totals as (
    select
        corpus,
        sequence_id,
        token_offset,
        sum(occurrences) filter (where span = 'continuation') as sequence_duplicates,
        sum(sequences) filter (where span = 'continuation') as duplicate_sequences,
        sum(occurrences) filter (where span = 'prompt') as prompt_duplicates,
        sum(occurrences) filter (where span = 'window') as window_duplicates
    from {{ ref('int_shard_window__counts') }}
    group by corpus, sequence_id, token_offset
)

select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    coalesce(cast(totals.sequence_duplicates as bigint), published.sequence_duplicates) as sequence_duplicates,
    cast(totals.duplicate_sequences as bigint) as duplicate_sequences,
    cast(totals.prompt_duplicates as bigint) as prompt_duplicates,
    cast(totals.window_duplicates as bigint) as window_duplicates,
    case
        when totals.sequence_duplicates is not null then 'computed'
        when published.sequence_duplicates is not null then 'published'
    end as duplicates_origin
from {{ ref('int_evaluated_sequences') }} as sequences
left join totals
    on
        sequences.corpus = totals.corpus
        and sequences.sequence_id = totals.sequence_id
        and sequences.token_offset = totals.token_offset
left join {{ ref('stg_published_values') }} as published
    on
        sequences.corpus = published.corpus
        and sequences.sequence_id = published.sequence_id
        and sequences.token_offset = published.token_offset
        and published.model is null
