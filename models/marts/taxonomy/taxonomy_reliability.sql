-- One row per model, revision, predictor, category (or all) and bin of equal size: the mean predicted probability of the
-- representative held-out rows in it, the share that is memorized, and its 95 % Wilson interval. Where they agree, the
-- probabilities can be taken at their word.
with answered as (
    select *
    from {{ ref('int_taxonomy__predictions') }}
    where is_representative and probability is not null
),

-- Rows are sorted under one number in place of four names, which takes half as long.
numbered as (
    select
        *,
        cast(row_number() over (order by model, revision, predictor, category) as integer) as category_number,
        -cast(dense_rank() over (order by model, revision, predictor) as integer) as predictor_number
    from (
        select distinct
            model,
            revision,
            predictor,
            category
        from answered
    ) as parts
),

named as (
    select
        category_number as part_number,
        model,
        revision,
        predictor,
        category
    from numbered
    union all
    select distinct
        predictor_number,
        model,
        revision,
        predictor,
        'all'
    from numbered
),

by_part as (
    {% for number in ['category_number', 'predictor_number'] %}
        select
            numbered.{{ number }} as part_number,
            answered.probability,
            answered.memorized,
            answered.group_number,
            answered.sequence_id,
            answered.token_offset
        from answered
        inner join numbered
            using (model, revision, predictor, category)
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

binned as (
    select
        part_number,
        probability,
        memorized,
        ntile(10) over (
            partition by part_number
            order by probability, group_number, sequence_id, token_offset
        ) as bin
    from by_part
),

counted as (
    select
        part_number,
        bin,
        avg(probability) as mean_probability,
        count(*) filter (memorized) as n_memorized,
        count(*) as n_rows
    from binned
    group by part_number, bin
)

select
    named.model,
    named.revision,
    '{{ var("protocol") }}' as protocol,
    named.predictor,
    named.category,
    cast(counted.bin as integer) as bin,
    counted.mean_probability,
    counted.n_memorized / counted.n_rows as share_memorized,
    {{ wilson_bound('counted.n_memorized', 'counted.n_rows', -1) }} as low,
    {{ wilson_bound('counted.n_memorized', 'counted.n_rows', 1) }} as high,
    counted.n_rows
from counted
inner join named
    using (part_number)
