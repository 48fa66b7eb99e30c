-- One row per dataset, evaluated sequence and model: every feature, the score and the category, which is what is trained on
-- and exported. Scalars only: tokens, text and lists stay in their own tables, one copy each, under the same keys.
{%- set computed %}
select
    members.dataset,
    'computed' as origin,
    cast(null as bigint) as source_row,
    memorization.corpus,
    memorization.sequence_id,
    memorization.token_offset,
    memorization.model,
    memorization.revision,
    duplicates.sequence_duplicates,
    duplicates.duplicate_sequences,
    duplicates.prompt_duplicates,
    duplicates.window_duplicates,
    frequency.max_frequency,
    frequency.min_frequency,
    frequency.avg_frequency,
    frequency.median_frequency,
    frequency.p25_frequency,
    frequency.p75_frequency,
    templating.is_incrementing,
    templating.is_repeating,
    templating.is_templating,
    templating.paper_is_incrementing,
    templating.paper_is_repeating,
    templating.repeating_offset,
    templating.num_repeating,
    templating.longest_token_run,
    compression.huffman_code_length,
    compression.paper_huffman_coding_length,
    code.nl_score,
    code.code_type,
    similarity.semantic_matches_0_8,
    similarity.semantic_matches_0_9,
    similarity.textual_matches_0_8,
    similarity.textual_matches_0_9,
    perplexity.loss,
    perplexity.prompt_perplexity,
    perplexity.generation_perplexity,
    perplexity.sequence_perplexity,
    perplexity.paper_prompt_perplexity,
    perplexity.paper_generation_perplexity,
    perplexity.paper_sequence_perplexity,
    perplexity.continuation_log_probability,
    perplexity.sampling_log_probability,
    perplexity.extraction_probability,
    perplexity.reference_log_probability,
    perplexity.log_probability_gain,
    attention.avg_entropy,
    attention.avg_gini,
    attention.paper_avg_entropy,
    attention.paper_avg_gini,
    memorization.greedy_match_length,
    memorization.memorized,
    memorization.memorization_score,
    memorization.published_memorization_score,
    memorization.category
from {{ ref('dataset_members') }} as members
inner join {{ ref('fct_memorization') }} as memorization
    using (corpus, sequence_id, token_offset)
left join {{ ref('feat_sequence__duplicates') }} as duplicates
    using (corpus, sequence_id, token_offset)
left join {{ ref('feat_sequence__token_frequency') }} as frequency
    using (corpus, sequence_id, token_offset)
left join {{ ref('feat_sequence__templating') }} as templating
    using (corpus, sequence_id, token_offset)
left join {{ ref('feat_sequence__compression') }} as compression
    using (corpus, sequence_id, token_offset)
left join {{ ref('feat_sequence__code') }} as code
    using (corpus, sequence_id, token_offset)
left join {{ ref('feat_sequence__similarity') }} as similarity
    using (corpus, sequence_id, token_offset)
left join {{ ref('feat_sequence_model__perplexity') }} as perplexity
    using (corpus, sequence_id, token_offset, model, revision)
left join {{ ref('feat_sequence_model__attention') }} as attention
    using (corpus, sequence_id, token_offset, model, revision)
{%- endset %}
{#- Tables that others computed, under the same names; a column that only one side has is NULL on the other. -#}
{%- set landed %}
select
    {{ all_columns_but(['continuation_digest'], 'landed') }},  -- noqa: AM04
    'landed' as origin,
    landed.memorization_score as published_memorization_score,
    {{ category('landed', 'landed') }} as category
from {{ ref('stg_feature_rows') }} as landed
{%- endset %}
{{ union_all_by_name([computed, landed]) }}
