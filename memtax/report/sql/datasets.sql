-- The datasets, as rows of `features`: evaluated windows of each, and the models that were examined with them.
select
    dataset,
    corpus,
    max(n_sequences) as most_windows_of_a_model,
    count(distinct model) as n_models,
    count(*) as n_models_and_checkpoints
from memorization_by_category
where text_kind = 'all' and category = 'all'
group by dataset, corpus
order by dataset, corpus
