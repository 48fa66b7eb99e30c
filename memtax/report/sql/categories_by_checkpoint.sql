-- Memorized windows by category, kind of text and checkpoint, in the order of training.
select
    dataset || ' in ' || corpus as sample,
    model,
    revision,
    training_fraction,
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
order by
    sample,
    n_parameters nulls first,
    model,
    training_fraction nulls first,
    try_cast(regexp_extract(revision, '[0-9]+') as bigint) nulls first,
    revision,
    text_kind,
    category
