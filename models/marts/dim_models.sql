-- One row per language model and revision: those that are registered, and those that only a published score or value, or a
-- landed feature table, names. In one order, which all lists and charts of models keep.
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
),

known as (
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
),

sized as (
    select
        *,
        -- A model has one size at all its checkpoints, also where only some are registered.
        coalesce(max(n_parameters) over (partition by model), {{ parameters_in_name('model') }}) as model_size
    from known
)

select
    model,
    revision,
    corpus,
    n_parameters,
    training_fraction,
    model_size,
    cast(row_number() over (
        order by
            model_size asc nulls first,
            model asc,
            {{ checkpoint_order() }}
    ) as bigint) as model_place
from sized
