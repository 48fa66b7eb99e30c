-- Predicted probability and what came of it, in ten bins of equal size, with the 95 % Wilson interval of the share.
select
    model || '@' || revision as run,
    category,
    predictor,
    bin,
    mean_probability,
    share_memorized,
    low,
    high,
    n_rows
from taxonomy_reliability
where
    n_rows >= 5
    and model || '@' || revision in ($runs)
order by run, category, predictor, bin
