-- P(memorized) of code and of natural language, for every model and checkpoint.
select
    dataset || ' in ' || corpus as sample,
    model || '@' || revision as model_and_checkpoint,
    text_kind,
    n_sequences,
    n_memorized,
    share_of_memorized,
    p_memorized,
    p_memorized_low,
    p_memorized_high
from memorization_by_text_kind
where model || '@' || revision in ($runs)
order by model_place, sample, text_kind
