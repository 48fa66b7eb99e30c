-- P(memorized) by the number of times the continuation occurs in the corpus, for all windows, code and natural language.
select
    dataset || ' in ' || corpus as sample,
    model || '@' || revision as run,
    text_kind,
    duplicates_from,
    duplicates_to,
    n_sequences,
    n_memorized,
    p_memorized,
    p_memorized_low,
    p_memorized_high
from memorization_by_duplicates
where
    text_kind in ('all', 'code', 'natural language')
    and model || '@' || revision in ($runs)
order by sample, run, text_kind, duplicates_from
