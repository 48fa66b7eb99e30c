-- One row per row of `features` whose window another dataset of the same model has, too. A window counts once, and as
-- representative if one of its datasets is: in the first of them.
with several as (
    select
        corpus,
        sequence_id,
        token_offset
    from {{ ref('int_taxonomy__groups') }}
    where is_in_several_datasets
)

select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    dataset
from {{ ref('features') }}
inner join {{ ref('int_taxonomy__datasets') }}
    using (dataset, model, revision)
semi join several
    using (corpus, sequence_id, token_offset)
where {{ is_trained_on() }}
qualify row_number() over (
    partition by corpus, sequence_id, token_offset, model, revision
    order by place
) > 1
