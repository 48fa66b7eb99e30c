-- One row per dataset, corpus, model, revision, kind of text (or all) and range of duplicates: P(memorized | duplicates). The
-- ranges are single counts up to the category's threshold, where the curve turns, and double in width from there.
with binned as (
    select
        dataset,
        corpus,
        model,
        revision,
        memorized,
        {{ text_kind() }} as text_kind,
        {{ duplicates_from('sequence_duplicates') }} as duplicates_from
    from {{ ref('features') }}
    where memorized is not null and sequence_duplicates is not null
),

counted as (
    select
        dataset,
        corpus,
        model,
        revision,
        duplicates_from,
        case when grouping(text_kind) = 1 then 'all' else text_kind end as text_kind,
        count(*) as n_sequences,
        count(*) filter (where memorized) as n_memorized
    from binned
    group by grouping sets (
        (dataset, corpus, model, revision, duplicates_from),
        (dataset, corpus, model, revision, duplicates_from, text_kind)
    )
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
    counted.duplicates_from,
    {{ duplicates_to('counted.duplicates_from') }} as duplicates_to,
    counted.n_sequences,
    counted.n_memorized,
    counted.n_memorized / counted.n_sequences as p_memorized,
    {{ wilson_bound('counted.n_memorized', 'counted.n_sequences', -1) }} as p_memorized_low,
    {{ wilson_bound('counted.n_memorized', 'counted.n_sequences', 1) }} as p_memorized_high
from counted
left join {{ ref('dim_models') }} as models
    on
        counted.model = models.model
        and counted.revision = models.revision
