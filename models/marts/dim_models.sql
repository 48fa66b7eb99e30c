-- One row per language model and revision: those that are registered, and those that only a published score or value, or a
-- landed feature table, names.
with published as (
    select distinct
        model,
        revision,
        corpus
    from {{ ref('stg_published_scores') }}
    union distinct
    select distinct
        model,
        revision,
        corpus
    from {{ ref('stg_published_values') }}
    where model is not null
    union distinct
    select
        model,
        revision,
        corpus
    from {{ ref('stg_feature_tables') }}
)

select
    model,
    revision,
    corpus,
    n_parameters,
    training_fraction
from {{ ref('stg_models') }}
union all
select
    published.model,
    published.revision,
    min(published.corpus) as corpus,
    cast(null as bigint) as n_parameters,
    cast(null as double) as training_fraction
from published
left join {{ ref('stg_models') }} as registered
    on
        published.model = registered.model
        and published.revision = registered.revision
where registered.model is null
group by published.model, published.revision
