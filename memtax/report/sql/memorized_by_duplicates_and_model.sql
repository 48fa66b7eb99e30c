-- P(memorized) by the number of times the continuation occurs in the corpus, one curve for each model and checkpoint.
select
    dataset || ' in ' || corpus as sample,
    model || '@' || revision as curve,
    duplicates_from,
    duplicates_to,
    n_sequences,
    n_memorized,
    p_memorized,
    p_memorized_low,
    p_memorized_high
from memorization_by_duplicates
where text_kind = 'all' and model || '@' || revision in ($runs)
order by model_place, sample, duplicates_from
