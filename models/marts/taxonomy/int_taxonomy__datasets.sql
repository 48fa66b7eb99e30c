-- One row per dataset, model and revision that can be trained or tested on: its rows, whether they are a sample of the corpus,
-- and its place among the model's datasets. A dataset of which a model has memorized everything was chosen for that, and is no
-- sample for the other models either. So was one of which all is published as memorized, also where a row or two could not be
-- reproduced here; and one that the var taxonomy_memorized_datasets names.
with counted as (
    select
        dataset,
        model,
        revision,
        count(*) as n_rows,
        bool_and(memorized) or bool_and(coalesce(published_memorization_score = 1, false)) as is_memorized
    from {{ ref('features') }}
    where {{ is_trained_on() }}
    group by dataset, model, revision
),

judged as (
    select
        *,
        not bool_or(is_memorized) over (partition by dataset)
        {%- for name in usable_var('taxonomy_memorized_datasets') %}
            and dataset <> '{{ name | replace("'", "''") }}'
        {%- endfor %} as is_representative
    from counted
)

select
    dataset,
    model,
    revision,
    n_rows,
    is_representative,
    row_number() over (partition by model, revision order by is_representative desc, dataset asc) as place
from judged
