-- One row per model, revision, feature, range of duplicates (NULL: all rows) and measure: how far the distribution of a feature
-- among memorized sequences is from that among others, with a 95 % interval.
select
    model,
    revision,
    protocol,
    feature,
    duplicates_from,
    {{ duplicates_to('duplicates_from') }} as duplicates_to,
    measure,
    divergence,
    low,
    high,
    n_memorized,
    n_other,
    n_bins,
    method,
    status
from {{ ref('int_taxonomy__divergences') }}
