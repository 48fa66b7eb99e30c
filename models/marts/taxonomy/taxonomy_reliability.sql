-- One row per model, revision, predictor, category (or all) and bin of equal size: the mean predicted probability of the
-- representative held-out rows in it, the share that is memorized, and its 95 % Wilson interval. Where they agree, the
-- probabilities can be taken at their word. They are the bins of the calibration error.
select
    model,
    revision,
    protocol,
    predictor,
    category,
    bin,
    value as mean_probability,
    n_memorized / n_rows as share_memorized,
    {{ wilson_bound('n_memorized', 'n_rows', -1) }} as low,
    {{ wilson_bound('n_memorized', 'n_rows', 1) }} as high,
    n_rows
from {{ ref('int_taxonomy__metrics') }}
where bin is not null
