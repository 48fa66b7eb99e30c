-- One row per model, revision, predictor, category (or all) and bin of equal size: the mean predicted probability of the
-- representative held-out rows in it, the share that is memorized, and its 95 % Wilson interval. Where they agree, the
-- probabilities can be taken at their word.
with by_category as (
    select
        *,
        unnest(['all', category]) as part
    from {{ ref('int_taxonomy__predictions') }}
    where is_representative and probability is not null
),

binned as (
    select
        model,
        revision,
        predictor,
        part,
        probability,
        memorized,
        ntile(10) over (
            partition by model, revision, predictor, part
            order by probability, group_number, sequence_id, token_offset
        ) as bin
    from by_category
)

select
    model,
    revision,
    '{{ var("protocol") }}' as protocol,
    predictor,
    part as category,
    cast(bin as integer) as bin,
    avg(probability) as mean_probability,
    avg(cast(memorized as double)) as share_memorized,
    {{ wilson_bound('count(*) filter (memorized)', 'count(*)', -1) }} as low,
    {{ wilson_bound('count(*) filter (memorized)', 'count(*)', 1) }} as high,
    count(*) as n_rows
from binned
group by model, revision, predictor, part, bin
