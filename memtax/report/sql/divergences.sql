-- How far the distribution of a feature among memorized windows is from that among others, in nats, with 95 % intervals.
select
    model || '@' || revision as run,
    protocol,
    feature,
    measure,
    divergence,
    low,
    high,
    n_memorized,
    n_other,
    status
from taxonomy_divergences
where duplicates_from is null and divergence is not null and model || '@' || revision in ($runs)
order by run, feature, measure
