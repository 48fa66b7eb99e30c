-- One row per dataset, model, revision, prompt length, token offset and category: how much is memorized. Datasets stay apart,
-- because one may hold only what is memorized.
with by_prompt as (
    select
        memorization.corpus,
        memorization.sequence_id,
        memorization.token_offset,
        memorization.model,
        memorization.revision,
        cast({{ var('prompt_length') }} as integer) as prompt_length,
        memorization.memorized,
        memorization.greedy_match_length,
        perplexity.continuation_log_probability,
        perplexity.extraction_probability
    from {{ ref('fct_memorization') }} as memorization
    left join {{ ref('feat_sequence_model__perplexity') }} as perplexity
        using (corpus, sequence_id, token_offset, model, revision)
    union all
    select
        corpus,
        sequence_id,
        token_offset,
        model,
        revision,
        prompt_length,
        memorized,
        greedy_match_length,
        continuation_log_probability,
        extraction_probability(sampling_log_probability, {{ var('extraction_samples') }}) as extraction_probability
    from {{ ref('int_sequence_model_prompt__scores') }}
)

select
    members.dataset,
    by_prompt.corpus,
    by_prompt.model,
    by_prompt.revision,
    by_prompt.prompt_length,
    by_prompt.token_offset,
    categories.category,
    count(*) as n_windows,
    count(*) filter (where by_prompt.memorized) as n_memorized,
    avg(cast(by_prompt.memorized as integer)) as memorized_share,
    -- In a fixed order, so that rows that were stored in another give the same sums to the last bit.
    {{ steady_mean('by_prompt.greedy_match_length', 'by_prompt.sequence_id') }} as avg_greedy_match_length,
    {{ steady_mean('by_prompt.continuation_log_probability', 'by_prompt.sequence_id') }} as avg_continuation_log_probability,
    {{ steady_mean('by_prompt.extraction_probability', 'by_prompt.sequence_id') }} as avg_extraction_probability
from by_prompt
inner join {{ ref('dataset_members') }} as members
    using (corpus, sequence_id, token_offset)
left join {{ ref('fct_memorization') }} as categories
    using (corpus, sequence_id, token_offset, model, revision)
where by_prompt.memorized is not null
group by
    members.dataset,
    by_prompt.corpus,
    by_prompt.model,
    by_prompt.revision,
    by_prompt.prompt_length,
    by_prompt.token_offset,
    categories.category
