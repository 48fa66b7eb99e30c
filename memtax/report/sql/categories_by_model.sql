-- Memorized windows by category, kind of text and model, each at its last checkpoint.
select
    dataset || ' in ' || corpus as sample,
    model,
    revision,
    n_parameters,
    model_place,
    text_kind,
    category,
    n_sequences,
    n_memorized,
    share_of_memorized,
    p_memorized,
    p_memorized_low,
    p_memorized_high
from memorization_by_category
where category <> 'all' and text_kind in ('all', 'code', 'natural language')
qualify
    model_place = max(model_place) over (partition by dataset, corpus, model)
order by model_place, sample, text_kind, category
