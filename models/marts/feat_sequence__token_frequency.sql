-- One row per evaluated sequence: how frequent its tokens are in the corpus, as a list in token order and as six statistics.
-- The quartiles are the discrete ones that Spark's percentile_approx gives (of 64: the 16th and the 48th smallest); the
-- median interpolates.
with positions as (
    select
        corpus,
        sequence_id,
        token_offset,
        unnest(tokens) as token_id,
        unnest(range(len(tokens))) as position
    from {{ ref('int_evaluated_sequences') }}
),

lists as (
    select
        positions.corpus,
        positions.sequence_id,
        positions.token_offset,
        list(coalesce(frequencies.frequency, 0) order by positions.position) as frequencies
    from positions
    left join {{ ref('token_frequencies') }} as frequencies
        on
            positions.corpus = frequencies.corpus
            and positions.token_id = frequencies.token_id
    -- Without a landed corpus there is nothing to count, which is not the same as a count of 0.
    where positions.corpus in (select corpus from {{ ref('token_frequencies') }})
    group by positions.corpus, positions.sequence_id, positions.token_offset
),

sorted as (
    select
        *,
        list_sort(frequencies) as ascending,
        len(frequencies) as n
    from lists
)

select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    sorted.ascending[sorted.n] as max_frequency,
    sorted.ascending[1] as min_frequency,
    cast(list_avg(sorted.frequencies) as double) as avg_frequency,
    (
        sorted.ascending[cast(ceil(sorted.n / 2) as integer)] + sorted.ascending[cast(floor(sorted.n / 2) as integer) + 1]
    ) / 2.0 as median_frequency,
    cast(sorted.ascending[cast(ceil(sorted.n * 0.25) as integer)] as double) as p25_frequency,
    cast(sorted.ascending[cast(ceil(sorted.n * 0.75) as integer)] as double) as p75_frequency,
    sorted.frequencies
from {{ ref('int_evaluated_sequences') }} as sequences
left join sorted
    on
        sequences.corpus = sorted.corpus
        and sequences.sequence_id = sorted.sequence_id
        and sequences.token_offset = sorted.token_offset
