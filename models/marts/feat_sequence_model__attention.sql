-- One row per evaluated sequence and model whose attention the var attention asked for: how spread out it is.
-- A model that has none to show, such as a recurrent one, has empty lists among the scores, and no row here.
-- Where only the paper's averages were published, they are all there is.
{%- set computed %}
select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    {{ list_mean('flatten(entropy_heads)') }} as avg_entropy,
    {{ list_mean('flatten(gini_heads)') }} as avg_gini,
    entropy_heads,
    gini_heads,
    {{ list_mean('flatten(paper_entropy_heads)') }} as paper_avg_entropy,
    {{ list_mean('flatten(paper_gini_heads)') }} as paper_avg_gini,
    paper_entropy_heads,
    paper_gini_heads,
    'computed' as attention_origin
from {{ ref('int_sequence_model__scores') }}
where {{ list_length('entropy_heads') }} > 0
{%- endset %}
{%- set published %}
select
    published.corpus,
    published.sequence_id,
    published.token_offset,
    published.model,
    published.revision,
    published.paper_avg_entropy,
    published.paper_avg_gini,
    'published' as attention_origin
from {{ ref('stg_published_values') }} as published
inner join {{ ref('int_evaluated_sequences') }} as sequences
    on
        published.corpus = sequences.corpus
        and published.sequence_id = sequences.sequence_id
        and published.token_offset = sequences.token_offset
left join {{ ref('int_sequence_model__scores') }} as computed
    on
        published.corpus = computed.corpus
        and published.sequence_id = computed.sequence_id
        and published.token_offset = computed.token_offset
        and published.model = computed.model
        and published.revision = computed.revision
        and {{ list_length('computed.entropy_heads') }} > 0
where published.paper_avg_entropy is not null and computed.model is null
{%- endset %}
{{ union_all_by_name([computed, published]) }}
