-- One row per evaluated sequence: whether its text counts up or repeats, by memtax's rule and by the paper's.
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
