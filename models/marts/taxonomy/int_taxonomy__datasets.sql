-- One row per dataset, model and revision that can be trained or tested on: its rows, whether they are a sample of the corpus,
-- and its place among the model's datasets. A dataset in which a model has memorized everything is no sample.
select
    dataset,
    model,
    revision,
    count(*) as n_rows,
    not bool_and(memorized) as is_representative,
    row_number() over (partition by model, revision order by bool_and(memorized), dataset) as place
from {{ ref('features') }}
where {{ is_trained_on() }}
group by dataset, model, revision
