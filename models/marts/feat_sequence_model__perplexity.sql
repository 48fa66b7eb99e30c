-- One row per evaluated sequence and model that scored it: how surprising the window is to that model. Where only the paper's
-- perplexities were published, the plain ones are made of them: the paper divided each of three sums of log-likelihoods by
-- the predicted tokens of the whole window, which a power undoes.
select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    loss,
    prompt_perplexity,
    generation_perplexity,
    sequence_perplexity,
    paper_prompt_perplexity,
    paper_generation_perplexity,
    paper_sequence_perplexity,
    continuation_log_probability,
    'computed' as perplexity_origin
from {{ ref('int_sequence_model__scores') }}
union all
select
    published.corpus,
    published.sequence_id,
    published.token_offset,
    published.model,
    published.revision,
    ln(published.paper_sequence_perplexity) as loss,
    pow(
        published.paper_prompt_perplexity,
        ({{ var('prompt_length') }} + {{ var('continuation_length') }} - 1) / ({{ var('prompt_length') }} - 1)
    ) as prompt_perplexity,
    pow(
        published.paper_generation_perplexity,
        ({{ var('prompt_length') }} + {{ var('continuation_length') }} - 1) / {{ var('continuation_length') }}
    ) as generation_perplexity,
    published.paper_sequence_perplexity as sequence_perplexity,
    published.paper_prompt_perplexity,
    published.paper_generation_perplexity,
    published.paper_sequence_perplexity,
    -({{ var('prompt_length') }} + {{ var('continuation_length') }} - 1)
    * ln(published.paper_generation_perplexity) as continuation_log_probability,
    'published' as perplexity_origin
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
where published.model is not null and computed.model is null
