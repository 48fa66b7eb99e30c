-- One row per evaluated sequence: how frequent its tokens are in the corpus, as a list in token order and as six statistics.
-- The quartiles are the discrete ones that Spark's percentile_approx gives (of 64: the 16th and the 48th smallest); the
-- median interpolates.
select
    corpus,
    sequence_id,
    token_offset,
    statistics.max_frequency as max_frequency,
    statistics.min_frequency as min_frequency,
    statistics.avg_frequency as avg_frequency,
    statistics.median_frequency as median_frequency,
    statistics.p25_frequency as p25_frequency,
    statistics.p75_frequency as p75_frequency,
    statistics.frequencies as frequencies
from {{ ref('int_sequence__token_frequency') }}
