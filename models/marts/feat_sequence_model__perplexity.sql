-- One row per evaluated sequence and model that scored it: how surprising the window is to that model, how likely sampling
-- is to produce its continuation, and how much more likely the model finds it than the reference model does.
with reference_scores as (
    select
        scores.corpus,
        scores.sequence_id,
        scores.token_offset,
        scores.model as reference_model,
        scores.revision as reference_revision,
        scores.continuation_log_probability as reference_log_probability
    from {{ ref('int_sequence_model__scores') }} as scores
    inner join {{ ref('int_corpus_references') }} as chosen
        on
            scores.corpus = chosen.corpus
            and scores.model = chosen.reference_model
            and scores.revision = chosen.reference_revision
    union all
    select
        corpus,
        sequence_id,
        token_offset,
        model,
        revision,
        continuation_log_probability
    from {{ ref('int_sequence__reference_scores') }}
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
    scores.continuation_log_probability - reference_scores.reference_log_probability as log_probability_gain
from {{ ref('int_sequence_model__scores') }} as scores
left join reference_scores
    on
        scores.corpus = reference_scores.corpus
        and scores.sequence_id = reference_scores.sequence_id
        and scores.token_offset = reference_scores.token_offset
        -- A model is no prior of itself.
        and (scores.model <> reference_scores.reference_model or scores.revision <> reference_scores.reference_revision)
