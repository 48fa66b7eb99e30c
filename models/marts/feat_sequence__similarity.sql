-- One row per evaluated sequence: how many others of the reference set mean nearly the same, and of those, how many have a
-- prompt that is nearly the same. The names say the thresholds of the paper; the var similarity_thresholds moves them. Where
-- there is no text to embed, the published counts stand in: all four, since they are of another reference set.
select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    case
        when sequences.matches is null then published.semantic_matches_0_8
        else {{ list_item('sequences.matches.semantic_matches', 1) }}
    end as semantic_matches_0_8,
    case
        when sequences.matches is null then published.semantic_matches_0_9
        else {{ list_item('sequences.matches.semantic_matches', 2) }}
    end as semantic_matches_0_9,
    case
        when sequences.matches is null then published.textual_matches_0_8
        else {{ list_item('sequences.matches.textual_matches', 1) }}
    end as textual_matches_0_8,
    case
        when sequences.matches is null then published.textual_matches_0_9
        else {{ list_item('sequences.matches.textual_matches', 2) }}
    end as textual_matches_0_9,
    case
        when sequences.matches is not null then 'computed'
        when coalesce(
            published.semantic_matches_0_8,
            published.semantic_matches_0_9,
            published.textual_matches_0_8,
            published.textual_matches_0_9
        ) is not null then 'published'
    end as similarity_origin
from {{ ref('int_sequence__similarity') }} as sequences
left join {{ ref('stg_published_values') }} as published
    on
        sequences.corpus = published.corpus
        and sequences.sequence_id = published.sequence_id
        and sequences.token_offset = published.token_offset
        and published.model is null
