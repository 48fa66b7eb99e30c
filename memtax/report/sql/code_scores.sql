-- Windows by their probability of natural language, in 50 bins, and what their code_type calls them.
select
    dataset || ' in ' || corpus as sample,
    model || '@' || revision as run,
    least(floor(50 * nl_score), 49) / 50 as score_from,
    score_from + 0.02 as score_to,
    code_type,
    count(*) as n_sequences,
    count(*) filter (memorized) as n_memorized,
    min(nl_score) as least_score,
    max(nl_score) as greatest_score
from features
where nl_score is not null and model || '@' || revision in ($runs)
group by sample, run, score_from, code_type
order by sample, run, score_from, code_type
