-- ROC and precision-recall curves of the held-out, representative rows. Rows are counted by log-odds, in steps of 1/50, and
-- added up from the most probable down: every point is exact. Of the points that lie within 1/60 of each other, one is kept.
with steps as (
    select
        model || '@' || revision as run,
        predictor,
        category,
        floor(50 * ln(greatest(probability, 1e-12) / greatest(1 - probability, 1e-12))) as step,
        count(*) filter (memorized) as positives,
        count(*) filter (not memorized) as negatives
    from taxonomy_predictions
    where
        split = 'test'
        and is_representative
        and probability is not null
        and model || '@' || revision in ($runs)
    group by all
),

counted as (
    select * from steps
    union all
    select
        run,
        predictor,
        'all' as category,
        step,
        sum(positives) as positives,
        sum(negatives) as negatives
    from steps
    group by run, predictor, step
),

added as (
    select
        *,
        sum(positives) over curve as true_positives,
        sum(negatives) over curve as false_positives,
        sum(positives) over whole as all_positives,
        sum(negatives) over whole as all_negatives
    from counted
    window
        curve as (partition by run, predictor, category order by step desc),
        whole as (partition by run, predictor, category)
)

-- Where the threshold is above all, nothing is found.
select
    run,
    predictor,
    category,
    null as step,
    1.0 as probability_from,
    0.0 as recall,
    0.0 as false_positive_rate,
    null as precision
from counted
group by run, predictor, category
having sum(positives) > 0 and sum(negatives) > 0
union all
select
    run,
    predictor,
    category,
    step,
    round(1 / (1 + exp(-step / 50)), 6) as probability_from,
    round(true_positives / all_positives, 5) as recall,
    round(false_positives / all_negatives, 5) as false_positive_rate,
    round(true_positives / (true_positives + false_positives), 5) as precision
from added
where all_positives > 0 and all_negatives > 0
qualify
    row_number() over (
        partition by run, predictor, category, floor(60 * recall), floor(60 * false_positive_rate) order by step
    ) = 1
order by run, predictor, category, step desc nulls first
