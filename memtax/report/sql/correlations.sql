-- How each feature goes with memorization, by three measures: for all windows and by category.
select
    model || '@' || revision as run,
    method,
    category,
    feature,
    correlation,
    p_value,
    n_rows,
    n_memorized
from taxonomy_correlations
where subset = 'all' and correlation is not null and model || '@' || revision in ($runs)
order by run, method, category, feature
