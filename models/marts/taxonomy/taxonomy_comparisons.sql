-- One row per model, revision, predictor, category and measure: how much better (or worse) it is than the baseline on the
-- same rows, with the paired bootstrap's 95 % interval and p-value. This says which taxonomy explains memorization best.
select
    model,
    revision,
    protocol,
    predictor,
    compared_with,
    category,
    measure,
    value as difference,
    low,
    high,
    p_value,
    n_rows,
    n_memorized,
    status
from {{ ref('int_taxonomy__metrics') }}
where compared_with is not null
