-- One row per model, revision, feature, range of duplicates (NULL: not known), bin and block of groups: how many memorized and
-- other rows have a value there. Bins lie between the least and the greatest value that any model's rows have, so that both
-- sides and all models share them; of equal width in the logarithm where values are positive and span a factor of ten,
-- else in the value. A count lies in the middle of its bin.
--
-- Blocks of groups are what a bootstrap draws, which then need not see the rows.
with known as not materialized (
    select *
    from (
        select
            model,
            revision,
            protocol,
            duplicates_from,
            memorized,
            group_number,
            unnest([
                {% for name in usable_var('distribution_features') %}
                    {
                        'feature': '{{ distribution_feature(name) }}',
                        'value': {{ distribution_column(name) }}
                    }{{ ',' if not loop.last }}
                {% endfor %}
            ], recursive := true)
        from {{ ref('int_taxonomy__rows') }}
    ) as measured
    where
        isfinite(value)
        -- The paper's -1 is a perplexity that it did not have.
        and not (value = -1 and feature like 'paper%perplexity')
),

supports as (
    select
        feature,
        min(value) as least_value,
        max(value) as greatest_value,
        bool_and(value = floor(value)) as is_count,
        min(value) > 0 and max(value) >= 10 * min(value) as is_log
    from known
    group by feature
),

scales as (
    select
        *,
        case
            when is_log then ln(least_value - case when is_count then 0.5 else 0 end)
            else least_value - case when is_count then 0.5 else 0 end
        end as low,
        case
            when is_log then ln(greatest_value + case when is_count then 0.5 else 0 end)
            else greatest_value + case when is_count then 0.5 else 0 end
        end as high
    from supports
),

counted as (
    select
        known.model,
        known.revision,
        known.feature,
        known.duplicates_from,
        cast(coalesce(least(
            floor(
                (case when scales.is_log then ln(known.value) else known.value end - scales.low)
                / nullif(scales.high - scales.low, 0) * {{ var('distribution_bins') }}
            ),
            {{ var('distribution_bins') }} - 1
        ), 0) as integer) as bin,
        known.group_number % {{ var('taxonomy_bootstrap_blocks') }} as block,
        any_value(known.protocol) as protocol,
        count(*) filter (known.memorized) as n_memorized,
        count(*) filter (not known.memorized) as n_other
    from known
    inner join scales
        on known.feature = scales.feature
    group by all
),

edged as (
    select
        counted.*,
        scales.is_count,
        scales.is_log,
        scales.low + counted.bin * (scales.high - scales.low) / {{ var('distribution_bins') }} as low,
        scales.low + (counted.bin + 1) * (scales.high - scales.low) / {{ var('distribution_bins') }} as high
    from counted
    inner join scales
        on counted.feature = scales.feature
)

select
    model,
    revision,
    protocol,
    feature,
    case when is_log then 'log' else 'linear' end as scale,
    duplicates_from,
    bin,
    {{ bin_edge('low') }} as bin_low,
    {{ bin_edge('high') }} as bin_high,
    cast(block as integer) as block,
    n_memorized,
    n_other
from edged
