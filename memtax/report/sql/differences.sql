-- How much better or worse than one model for all, on the same held-out rows, with the paired bootstrap's 95 % interval.
select
    model || '@' || revision as run,
    category,
    predictor,
    measure,
    difference,
    low,
    high,
    p_value,
    n_rows,
    n_memorized,
    status
from taxonomy_comparisons
where
    measure in ('roc_auc', 'pr_auc', 'log_loss')
    and difference is not null
    and model || '@' || revision in ($runs)
order by run, category, predictor, measure
