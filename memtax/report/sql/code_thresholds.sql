-- The share of windows whose score lies below each possible threshold: what would be called code if it were drawn there.
with binned as (
    select
        dataset || ' in ' || corpus as sample,
        model || '@' || revision as run,
        least(floor(50 * nl_score), 49) as bin,
        count(*) filter (memorized) as memorized,
        count(*) filter (not memorized) as others
    from features
    where nl_score is not null and memorized is not null and model || '@' || revision in ($runs)
    group by all
)

select
    sample,
    run,
    (bin + 1) / 50 as threshold,
    unnest(['memorized', 'not memorized']) as side,
    unnest([
        sum(memorized) over below / nullif(sum(memorized) over whole, 0),
        sum(others) over below / nullif(sum(others) over whole, 0)
    ]) as share_below
from binned
window
    below as (partition by sample, run order by bin),
    whole as (partition by sample, run)
order by sample, run, threshold, side
