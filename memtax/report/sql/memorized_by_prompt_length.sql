-- P(memorized) by the length of the prompt, with its 95 % Wilson interval (z = 1.959964).
select
    dataset || ' in ' || corpus as sample,
    model || '@' || revision as run,
    prompt_length,
    sum(n_windows) as n,
    sum(n_memorized) as k,
    k / n as p_memorized,
    greatest(0, (k + 1.920729) / (n + 3.841459) - 1.959964 / (n + 3.841459) * sqrt(k * (n - k) / n + 0.960365)) as low,
    least(1, (k + 1.920729) / (n + 3.841459) + 1.959964 / (n + 3.841459) * sqrt(k * (n - k) / n + 0.960365)) as high,
    sum(avg_greedy_match_length * n_windows) / n as mean_greedy_match_length,
    count(avg_continuation_log_probability) > 0 as was_run_here
from memorization_by_prompt
where model || '@' || revision in ($runs)
group by sample, run, prompt_length
order by sample, run, prompt_length
