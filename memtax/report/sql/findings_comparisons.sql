-- How each taxonomy's log-loss differs from the baseline's on all held-out rows.
select
    model || '@' || revision as run,
    predictor,
    difference,
    low,
    high,
    n_rows,
    n_memorized
from taxonomy_comparisons
where category = 'all' and measure = 'log_loss'
order by run, list_position(['taxonomy', 'tree', 'searched', 'own'], predictor)
