-- Memorized windows by category, kind of text and checkpoint, in the order of training: all checkpoints of the models that
-- are shown at some.
select
    dataset || ' in ' || corpus as sample,
    model,
    revision,
    training_fraction,
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
where
    category <> 'all'
    and text_kind in ('all', 'code', 'natural language')
    and model in (select model from memorization_by_category where model || '@' || revision in ($runs))
order by model_place, sample, text_kind, category
