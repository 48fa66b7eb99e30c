-- P(memorized) by where in its sequence a window begins, at the longest prompt, with its 95 % Wilson interval. A corpus that
-- was sampled at every offset has thousands: the first of each of 100 equal stretches is shown.
with counted as (
    select
        dataset || ' in ' || corpus as sample,
        model || '@' || revision as run,
        prompt_length,
        token_offset,
        sum(n_windows) as n,
        sum(n_memorized) as k
    from memorization_by_prompt
    where model || '@' || revision in ($runs)
    group by all
),

longest as (
    select
        *,
        floor(100 * token_offset / (1 + max(token_offset) over ())) as stretch
    from counted
    qualify prompt_length = max(prompt_length) over (partition by sample, run)
)

select
    sample,
    run,
    prompt_length,
    token_offset,
    n,
    k,
    k / n as p_memorized,
    greatest(0, (k + 1.920729) / (n + 3.841459) - 1.959964 / (n + 3.841459) * sqrt(k * (n - k) / n + 0.960365)) as low,
    least(1, (k + 1.920729) / (n + 3.841459) + 1.959964 / (n + 3.841459) * sqrt(k * (n - k) / n + 0.960365)) as high
from longest
qualify row_number() over (partition by sample, run, stretch order by token_offset) = 1
order by sample, run, token_offset
