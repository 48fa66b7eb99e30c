-- How well each predictor tells memorized windows from others on held-out rows, with 95 % intervals.
select
    model || '@' || revision as run,
    category,
    predictor,
    measure,
    value,
    low,
    high,
    n_rows,
    n_memorized,
    n_fallback_rows,
    status
from taxonomy_metrics
where
    split = 'test'
    and measure in ('roc_auc', 'pr_auc', 'log_loss', 'calibration_error')
    and model || '@' || revision in ($runs)
qualify row_number() over (
    partition by run, category, predictor, measure order by high - low desc nulls last, method
) = 1
order by run, category, predictor, measure
