-- One row per held-out window, model and predictor: the probability that the window is memorized, by the baseline and by the
-- regression of the part that it belongs to under each taxonomy. Where a part was too small to fit, the baseline answers for
-- it, and `is_fallback` says so.
select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    '{{ var("protocol") }}' as protocol,
    predictor,
    scope,
    category,
    split,
    is_representative,
    memorized,
    probability,
    is_fallback
from {{ ref('int_taxonomy__predictions') }}
