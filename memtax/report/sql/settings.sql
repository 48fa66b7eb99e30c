-- The vars and the package versions that shaped the taxonomy.
select distinct
    unnest(['var', 'version']) as kind,
    unnest([settings, versions]) as recorded
from taxonomy_models
order by kind desc, recorded
