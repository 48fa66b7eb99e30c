-- One row per dataset, corpus, model, revision and kind of text: P(memorized | code or natural language), and the share of
-- the memorized sequences that is of this kind.
select
    dataset,
    corpus,
    model,
    revision,
    n_parameters,
    training_fraction,
    model_place,
    text_kind,
    n_sequences,
    n_memorized,
    n_memorized / nullif(sum(n_memorized) over (partition by dataset, corpus, model, revision), 0) as share_of_memorized,
    p_memorized,
    p_memorized_low,
    p_memorized_high
from {{ ref('memorization_by_category') }}
where category = 'all' and text_kind <> 'all'
