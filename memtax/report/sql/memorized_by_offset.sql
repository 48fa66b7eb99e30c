-- P(memorized) by where in its sequence a window begins, at the longest prompt, with its 95 % Wilson interval. A corpus that
-- was sampled at every offset has thousands: of more than 100, those of each of 100 equal stretches are counted together.
with counted as (
    select
        dataset || ' in ' || corpus as sample,
        model || '@' || revision as run,
        prompt_length,
        token_offset,
        sum(n_windows) as windows,
        sum(n_memorized) as memorized,
        count(avg_continuation_log_probability) > 0 as was_run_here
    from memorization_by_prompt
    where model || '@' || revision in ($runs)
    group by all
),

longest as (
    select *
    from counted
    qualify prompt_length = max(prompt_length) over (partition by sample, run)
),

stretches as (
    select
        *,
        case
            when count(*) over whole <= 100 then token_offset
            else floor(100 * token_offset / (1 + max(token_offset) over whole))
        end as stretch
    from longest
    window whole as (partition by sample, run)
)

select
    sample,
    run,
    prompt_length,
    min(token_offset) as token_offset,
    max(token_offset) as last_token_offset,
    sum(windows) as n,
    sum(memorized) as k,
    k / n as p_memorized,
    greatest(0, (k + 1.920729) / (n + 3.841459) - 1.959964 / (n + 3.841459) * sqrt(k * (n - k) / n + 0.960365)) as low,
    least(1, (k + 1.920729) / (n + 3.841459) + 1.959964 / (n + 3.841459) * sqrt(k * (n - k) / n + 0.960365)) as high,
    bool_or(was_run_here) as was_run_here
from stretches
group by sample, run, prompt_length, stretch
order by sample, run, token_offset
