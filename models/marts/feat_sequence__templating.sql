-- One row per evaluated sequence: whether its text counts up or repeats, by memtax's rule and by the paper's, and whether
-- its tokens do, by the paper's older filters. Without a tokenizer there is no text, and only the tokens can be looked at.
with patterns as (
    select
        corpus,
        sequence_id,
        token_offset,
        templating.is_incrementing as is_incrementing,
        templating.is_repeating as is_repeating,
        templating.is_templating as is_templating,
        templating.pattern as templating_pattern,
        templating.period as templating_period,
        templating.step as templating_step,
        templating.coverage as templating_coverage,
        templating.paper_is_incrementing as paper_is_incrementing,
        templating.paper_is_repeating as paper_is_repeating
    from {{ ref('int_sequence__templating') }}
)

select
    patterns.*,
    runs.repeating_offset,
    runs.num_repeating,
    runs.smallest_repeating_chunk,
    runs.longest_token_run
from patterns
left join {{ ref('int_sequence__token_runs') }} as runs
    using (corpus, sequence_id, token_offset)
