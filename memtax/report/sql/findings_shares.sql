-- Counts and shares for all windows and by category, of every model and checkpoint.
select
    dataset || ' in ' || corpus as sample,
    model || '@' || revision as run,
    model,
    text_kind,
    category,
    n_sequences,
    n_memorized,
    share_of_memorized,
    p_memorized,
    p_memorized_low,
    p_memorized_high
from memorization_by_category
where (text_kind = 'all') or category = 'all'
order by sample, run, text_kind, category
