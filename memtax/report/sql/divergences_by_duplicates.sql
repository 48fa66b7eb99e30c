-- The same within ranges of duplicates: what another feature says beyond how often the continuation occurs.
select
    model || '@' || revision as run,
    protocol,
    feature,
    duplicates_from,
    duplicates_to,
    divergence,
    low,
    high,
    n_memorized,
    n_other,
    status
from taxonomy_divergences
where
    duplicates_from is not null
    and feature <> 'sequence_duplicates'
    and measure = 'kl_divergence'
    and divergence is not null
    and model || '@' || revision in ($runs)
order by run, feature, duplicates_from
