-- One row per dataset, corpus, model, revision, kind of text (or all) and category (or all): how many sequences there are, how
-- many are memorized, and what share of all memorized ones that is. A row is of one model at one checkpoint: shares of pooled
-- sizes are no model's.
with counted as (
    select
        dataset,
        corpus,
        model,
        revision,
        case when grouping(text_kind) = 1 then 'all' else text_kind end as text_kind,
        case when grouping(category) = 1 then 'all' else coalesce(category, 'unknown') end as category,
        count(*) as n_sequences,
        count(*) filter (where memorized) as n_memorized
    from (
        select
            *,
            {{ text_kind() }} as text_kind
        from {{ ref('features') }}
    ) as features
    where memorized is not null
    group by grouping sets (
        (dataset, corpus, model, revision),
        (dataset, corpus, model, revision, category),
        (dataset, corpus, model, revision, text_kind),
        (dataset, corpus, model, revision, text_kind, category)
    )
),

totals as (
    select
        dataset,
        corpus,
        model,
        revision,
        text_kind,
        n_memorized as all_memorized
    from counted
    where category = 'all'
)

select
    counted.dataset,
    counted.corpus,
    counted.model,
    counted.revision,
    models.n_parameters,
    models.training_fraction,
    models.model_place,
    counted.text_kind,
    counted.category,
    counted.n_sequences,
    counted.n_memorized,
    counted.n_memorized / nullif(totals.all_memorized, 0) as share_of_memorized,
    counted.n_memorized / counted.n_sequences as p_memorized,
    {{ wilson_bound('counted.n_memorized', 'counted.n_sequences', -1) }} as p_memorized_low,
    {{ wilson_bound('counted.n_memorized', 'counted.n_sequences', 1) }} as p_memorized_high
from counted
inner join totals
    using (dataset, corpus, model, revision, text_kind)
left join {{ ref('dim_models') }} as models
    on
        counted.model = models.model
        and counted.revision = models.revision
