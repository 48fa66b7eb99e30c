-- One row per evaluated sequence, model and predictor: the probability that the sequence is memorized, by the baseline and
-- by the model of its own category (predictor taxonomy). Where a category was too small to fit, the baseline answers
-- for it, and `is_fallback` says so.
with fits as (
    -- One row per regression, its coefficients in the order of the features.
    select
        model,
        revision,
        scope,
        min(intercept) as intercept,
        map(list(feature), list(coalesce(coefficient, 0.0))) as coefficients
    from {{ ref('int_taxonomy__fits') }}
    where status = 'fitted'
    group by model, revision, scope
),

scored as (
    select
        taxonomy_rows.corpus,
        taxonomy_rows.sequence_id,
        taxonomy_rows.token_offset,
        taxonomy_rows.model,
        taxonomy_rows.revision,
        taxonomy_rows.category,
        taxonomy_rows.split,
        taxonomy_rows.memorized,
        fits.scope,
        1 / (1 + exp(least(700, -(
            fits.intercept
            {% for feature in var('taxonomy_features') -%}
                {%- set coefficient = "fits.coefficients['" ~ feature | replace("'", "''") ~ "']" -%}
                {#- A feature that the fit left out (constant or without values) has no coefficient and adds nothing. -#}
                + case
                    when coalesce({{ coefficient }}, 0) = 0 then 0
                    else {{ coefficient }} * taxonomy_rows."{{ feature | replace('"', '""') }}"
                end
            {% endfor %}
        )))) as probability
    from {{ ref('int_taxonomy__rows') }} as taxonomy_rows
    inner join fits
        on
            taxonomy_rows.model = fits.model
            and taxonomy_rows.revision = fits.revision
            and fits.scope in ('baseline', taxonomy_rows.category)
),

by_row as (
    select
        corpus,
        sequence_id,
        token_offset,
        model,
        revision,
        category,
        split,
        memorized,
        max(probability) filter (where scope = 'baseline') as baseline,
        max(probability) filter (where scope = category) as own_category
    from scored
    group by corpus, sequence_id, token_offset, model, revision, category, split, memorized
)

select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    'baseline' as predictor,
    category,
    split,
    memorized,
    baseline as probability,
    false as is_fallback
from by_row
union all
select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    'taxonomy' as predictor,
    category,
    split,
    memorized,
    coalesce(own_category, baseline) as probability,
    own_category is null as is_fallback
from by_row
