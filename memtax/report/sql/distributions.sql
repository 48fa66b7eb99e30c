-- How features are distributed among memorized windows and among others, for all windows.
with sides as (
    select
        model || '@' || revision as run,
        feature,
        scale,
        bin_low,
        bin_high,
        unnest([
            {'side': 'memorized', 'n': n_memorized, 'share': share_of_memorized, 'density': density_of_memorized},
            {'side': 'not memorized', 'n': n_other, 'share': share_of_other, 'density': density_of_other}
        ], recursive := true)
    from memorization_distributions
    where duplicates_from is null and model || '@' || revision in ($runs)
)

select
    run,
    feature,
    scale,
    bin_low,
    bin_high,
    side,
    n,
    share,
    density
from sides
where share is not null
order by run, feature, bin_low, side
