-- One row per evaluated sequence and model whose attention the var attention asked for: how spread out it is.
select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    list_avg(flatten(entropy_heads)) as avg_entropy,
    list_avg(flatten(gini_heads)) as avg_gini,
    entropy_heads,
    gini_heads,
    list_avg(flatten(paper_entropy_heads)) as paper_avg_entropy,
    list_avg(flatten(paper_gini_heads)) as paper_avg_gini,
    paper_entropy_heads,
    paper_gini_heads
from {{ ref('int_sequence_model__scores') }}
where entropy_heads is not null
