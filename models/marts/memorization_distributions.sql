-- One row per model, revision, feature, range of duplicates (NULL: all rows) and bin that has rows: how the feature is
-- distributed among memorized sequences, and among others. Memorized ones are those of every dataset, which a set of memorized
-- sequences only adds to; others are never in such a set. A row is of one model at one checkpoint, and a window counts once.
with counted as (
    select
        model,
        revision,
        protocol,
        feature,
        scale,
        duplicates_from,
        bin,
        bin_low,
        bin_high,
        sum(n_memorized) as n_memorized,
        sum(n_other) as n_other
    from {{ ref('int_taxonomy__distributions') }}
    where duplicates_from is not null
    group by all
    union all
    select
        model,
        revision,
        protocol,
        feature,
        scale,
        null as duplicates_from,
        bin,
        bin_low,
        bin_high,
        sum(n_memorized) as n_memorized,
        sum(n_other) as n_other
    from {{ ref('int_taxonomy__distributions') }}
    group by all
),

shared as (
    select
        *,
        n_memorized / nullif(sum(n_memorized) over of_feature, 0) as share_of_memorized,
        n_other / nullif(sum(n_other) over of_feature, 0) as share_of_other,
        case when scale = 'log' then log10(bin_high / bin_low) else bin_high - bin_low end as width
    from counted
    window of_feature as (partition by model, revision, feature, duplicates_from)
)

select
    model,
    revision,
    protocol,
    feature,
    scale,
    duplicates_from,
    {{ duplicates_to('duplicates_from') }} as duplicates_to,
    bin,
    bin_low,
    bin_high,
    cast(n_memorized as bigint) as n_memorized,
    cast(n_other as bigint) as n_other,
    share_of_memorized,
    share_of_other,
    share_of_memorized / nullif(width, 0) as density_of_memorized,
    share_of_other / nullif(width, 0) as density_of_other
from shared
