-- Memorized windows by category, kind of text and model, each at its last checkpoint.
select
    dataset || ' in ' || corpus as sample,
    model,
    revision,
    n_parameters,
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
    dense_rank() over (
        partition by dataset, corpus, model
        order by
            training_fraction desc nulls last,
            try_cast(regexp_extract(revision, '[0-9]+') as bigint) desc nulls last,
            revision desc
    ) = 1
order by sample, n_parameters nulls first, model, text_kind, category
