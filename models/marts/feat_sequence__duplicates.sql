-- One row per evaluated sequence: the exact occurrences of its continuation in the whole corpus, added up over shards.
-- NULL where the corpus itself was not landed: nothing could be counted.
with totals as (
    select
        corpus,
        sequence_id,
        token_offset,
        sum(sequence_duplicates) as sequence_duplicates,
        sum(duplicate_sequences) as duplicate_sequences
    from {{ ref('int_shard_sequence__duplicates') }}
    group by corpus, sequence_id, token_offset
)

select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    cast(totals.sequence_duplicates as bigint) as sequence_duplicates,
    cast(totals.duplicate_sequences as bigint) as duplicate_sequences
from {{ ref('int_evaluated_sequences') }} as sequences
left join totals
    on
        sequences.corpus = totals.corpus
        and sequences.sequence_id = totals.sequence_id
        and sequences.token_offset = totals.token_offset
