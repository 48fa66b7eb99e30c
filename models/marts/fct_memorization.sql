-- One row per evaluated sequence and model that scored it, or of which a score was published: whether it is memorized, and
-- the sequence's category.
with categories as (
    select
        duplicates.corpus,
        duplicates.sequence_id,
        duplicates.token_offset,
        {{ category('duplicates', 'templating') }} as category
    from {{ ref('feat_sequence__duplicates') }} as duplicates
    left join {{ ref('feat_sequence__templating') }} as templating
        on
            duplicates.corpus = templating.corpus
            and duplicates.sequence_id = templating.sequence_id
            and duplicates.token_offset = templating.token_offset
)

select
    memorization.corpus,
    memorization.sequence_id,
    memorization.token_offset,
    memorization.model,
    memorization.revision,
    memorization.greedy_match_length,
    memorization.memorized,
    memorization.memorization_score,
    memorization.published_memorization_score,
    categories.category
from {{ ref('int_sequence_model__memorization') }} as memorization
left join categories
    on
        memorization.corpus = categories.corpus
        and memorization.sequence_id = categories.sequence_id
        and memorization.token_offset = categories.token_offset
