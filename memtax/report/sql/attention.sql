-- How spread out the attention of each layer is, over its heads, for memorized windows and others: means, with 95 %
-- intervals of the mean over windows (normal).
with layers as (
    select
        attention.model || '@' || attention.revision as run,
        case when facts.memorized then 'memorized' else 'not memorized' end as side,
        unnest(range(1, len(attention.entropy_heads) + 1)) as layer,
        attention.entropy_heads,
        attention.gini_heads
    from feat_sequence_model__attention as attention
    inner join fct_memorization as facts
        using (corpus, sequence_id, token_offset, model, revision)
    where
        facts.memorized is not null
        and attention.entropy_heads is not null
        and attention.model || '@' || attention.revision in ($runs)
),

measured as (
    select
        run,
        side,
        layer,
        unnest(['entropy', 'Gini coefficient']) as measure,
        unnest([list_avg(entropy_heads[layer]), list_avg(gini_heads[layer])]) as value
    from layers
)

select
    run,
    side,
    layer,
    measure,
    avg(value) as mean,
    mean - 1.96 * stddev_samp(value) / sqrt(count(*)) as low,
    mean + 1.96 * stddev_samp(value) / sqrt(count(*)) as high,
    count(*) as n_sequences
from measured
group by run, side, layer, measure
order by run, measure, side, layer
