-- One row per evaluated sequence and model that scored it: how surprising the window is to that model, how likely sampling
-- is to produce its continuation, and how much more likely the model finds it than the reference model does. Where only the
-- paper's perplexities were published, the plain ones are made of them: the paper divided each of three sums of
-- log-likelihoods by the predicted tokens of the whole window, which a power undoes.
{%- set predicted = '(' ~ var('prompt_length') ~ ' + ' ~ var('continuation_length') ~ ' - 1)' %}
with reference_scores as (
    select
        scores.corpus,
        scores.sequence_id,
        scores.token_offset,
        scores.model as reference_model,
        scores.revision as reference_revision,
        scores.continuation_log_probability as reference_log_probability
    from (
        select
            corpus,
            sequence_id,
            token_offset,
            model,
            revision,
            continuation_log_probability
        from {{ ref('int_sequence_model__scores') }}
        union all
        select
            corpus,
            sequence_id,
            token_offset,
            model,
            revision,
            continuation_log_probability
        from {{ ref('int_sequence__reference_scores') }}
    ) as scores
    -- Scores by a model that was the reference before stay until the next run of that table.
    inner join {{ ref('int_corpus_references') }} as chosen
        on
            scores.corpus = chosen.corpus
            and scores.model = chosen.reference_model
            and scores.revision = chosen.reference_revision
),

scores as (
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
        sampling_log_probability,
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
        pow(published.paper_prompt_perplexity, {{ predicted }} / ({{ var('prompt_length') }} - 1)) as prompt_perplexity,
        pow(
            published.paper_generation_perplexity, {{ predicted }} / {{ var('continuation_length') }}
        ) as generation_perplexity,
        published.paper_sequence_perplexity as sequence_perplexity,
        published.paper_prompt_perplexity,
        published.paper_generation_perplexity,
        published.paper_sequence_perplexity,
        -{{ predicted }} * ln(published.paper_generation_perplexity) as continuation_log_probability,
        cast(null as double) as sampling_log_probability,
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
)

select
    scores.corpus,
    scores.sequence_id,
    scores.token_offset,
    scores.model,
    scores.revision,
    scores.loss,
    scores.prompt_perplexity,
    scores.generation_perplexity,
    scores.sequence_perplexity,
    scores.paper_prompt_perplexity,
    scores.paper_generation_perplexity,
    scores.paper_sequence_perplexity,
    scores.continuation_log_probability,
    -- An impossible continuation has no logarithm; its extraction_probability is 0.
    nullif(scores.sampling_log_probability, cast('-infinity' as double)) as sampling_log_probability,
    extraction_probability(scores.sampling_log_probability, {{ var('extraction_samples') }}) as extraction_probability,
    reference_scores.reference_model || '@' || reference_scores.reference_revision as reference_model,
    reference_scores.reference_log_probability,
    scores.continuation_log_probability - reference_scores.reference_log_probability as log_probability_gain,
    scores.perplexity_origin
from scores
left join reference_scores
    on
        scores.corpus = reference_scores.corpus
        and scores.sequence_id = reference_scores.sequence_id
        and scores.token_offset = reference_scores.token_offset
        -- A model is no prior of itself.
        and (scores.model <> reference_scores.reference_model or scores.revision <> reference_scores.reference_revision)
