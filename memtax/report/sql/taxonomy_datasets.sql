-- The datasets whose windows the taxonomy of a model and checkpoint is trained and tested on.
select
    model || '@' || revision as run,
    dataset,
    n_rows,
    is_representative
from intermediate.int_taxonomy__datasets
order by run, is_representative desc, dataset
