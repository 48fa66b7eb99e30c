-- Spearman's rank correlation of each feature with memorization, for all windows, natural language and code.
select
    model || '@' || revision as run,
    replace(subset, '_', ' ') as text_kind,
    category,
    feature,
    correlation,
    p_value,
    n_rows,
    n_memorized
from taxonomy_correlations
where method = 'spearman' and correlation is not null and model || '@' || revision in ($runs)
order by run, text_kind, category, feature
