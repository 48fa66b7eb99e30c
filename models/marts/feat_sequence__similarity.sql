-- One row per evaluated sequence: how many others of the reference set mean nearly the same, and of those, how many have a
-- prompt that is nearly the same. The names say the thresholds of the paper; the var similarity_thresholds moves them.
select
    corpus,
    sequence_id,
    token_offset,
    matches.semantic_matches[1] as semantic_matches_0_8,
    matches.semantic_matches[2] as semantic_matches_0_9,
    matches.textual_matches[1] as textual_matches_0_8,
    matches.textual_matches[2] as textual_matches_0_9
from {{ ref('int_sequence__similarity') }}
