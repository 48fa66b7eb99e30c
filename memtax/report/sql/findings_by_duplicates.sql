-- P(memorized) in the lowest and the highest range of duplicates that have at least 30 windows.
select
    dataset || ' in ' || corpus as sample,
    model || '@' || revision as run,
    duplicates_from,
    duplicates_to,
    n_sequences,
    n_memorized,
    p_memorized,
    p_memorized_low,
    p_memorized_high
from memorization_by_duplicates
where text_kind = 'all' and duplicates_from >= 1 and n_sequences >= 30
qualify duplicates_from in (
    min(duplicates_from) over (partition by sample, run), max(duplicates_from) over (partition by sample, run)
)
order by sample, run, duplicates_from
