-- One row per corpus that has a reference model: whose probability of a continuation stands for how predictable it is.
with candidates as (
    {% set named = var('reference_model') -%}
    {% if named == 'smallest' -%}
        select
            corpus,
            model,
            revision
        from {{ ref('int_models') }}
        qualify row_number() over (
            partition by corpus
            order by
                n_parameters asc nulls last,
                {{ checkpoint_order(last_first=true) }},
                model asc
        ) = 1
    {%- else -%}
        -- A model that was trained on this corpus, or on another one: it is named for all.
        select
            corpora.corpus,
            models.model,
            models.revision
        from {{ ref('stg_corpora') }} as corpora
        cross join {{ ref('int_models') }} as models
        where models.model || '@' || models.revision = {{ literal(named if "@" in named else named ~ "@main") }}
    {%- endif %}
)

select
    candidates.corpus,
    candidates.model as reference_model,
    candidates.revision as reference_revision,
    models.corpus as reference_corpus
from candidates
inner join {{ ref('int_models') }} as models
    on candidates.model = models.model and candidates.revision = models.revision
