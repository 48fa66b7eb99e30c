-- The protocol that the taxonomy of each model and checkpoint was made under.
select distinct
    model || '@' || revision as run,
    protocol
from taxonomy_models
order by run, protocol
