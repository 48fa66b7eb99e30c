-- Where it is not known of all windows whether they are memorized: of how many there are, and of how many it is not.
select
    dataset || ' in ' || corpus as sample,
    model || '@' || revision as run,
    count(*) as n_windows,
    count(*) filter (memorized is null) as n_unknown
from features
group by sample, run
having count(*) filter (memorized is null) > 0
order by sample, run
