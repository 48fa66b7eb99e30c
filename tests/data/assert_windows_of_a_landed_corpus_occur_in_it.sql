-- A window that was taken from a sequence of the corpus is found there at least once, and a whole window never more often than
-- its halves: a count that breaks this was not exact. It relates columns of one row, which no generic test here does.
select
    duplicates.corpus,
    duplicates.sequence_id,
    duplicates.token_offset,
    duplicates.sequence_duplicates,
    duplicates.window_duplicates
from {{ ref('feat_sequence__duplicates') }} as duplicates
inner join {{ ref('stg_corpus_shards') }} as shards
    on
        duplicates.corpus = shards.corpus
        and duplicates.sequence_id between shards.first_sequence_id and shards.first_sequence_id + shards.n_sequences - 1
where
    duplicates.sequence_duplicates < 1
    or duplicates.window_duplicates > duplicates.sequence_duplicates
    or duplicates.window_duplicates > duplicates.prompt_duplicates
    or duplicates.duplicate_sequences > duplicates.sequence_duplicates
