-- How well each predictor tells memorized windows from others on held-out rows: by probabilities, and with 95 % intervals where
-- they can be told. The protocol paper has several methods for a measure: areas of hard predictions, and means over folds, are
-- not to be compared with those of probabilities.
select
    model || '@' || revision as run,
    protocol,
    category,
    predictor,
    measure,
    method,
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
    and value is not null
    and (
        protocol = 'corrected'
        or method = case measure
            when 'calibration_error' then 'top label, 10 equal bins, as published'
            else 'probabilities'
        end
    )
    and model || '@' || revision in ($runs)
order by run, category, predictor, measure
