-- One row per row of a landed feature table, in the columns of `features`.
--
-- A column that the source has is taken as it is. Where it only has the paper's, the plain one is what can be made of them:
-- the paper divided each of its three sums of log-likelihoods by the 63 tokens of all, which a power undoes, and wrote -1
-- where it had none; which of its names of matches means which is the var published_matches_swapped; and of templating there
-- is no better than its flags. Templating is told from the flags as they are given here, so that a table of these columns
-- lands as the same rows.
select
    dataset,
    landed.corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    source_row,
    continuation_digest,
    sequence_duplicates,
    duplicate_sequences,
    prompt_duplicates,
    window_duplicates,
    max_frequency,
    min_frequency,
    avg_frequency,
    median_frequency,
    p25_frequency,
    p75_frequency,
    coalesce(is_incrementing, paper_is_incrementing) as is_incrementing,
    coalesce(is_repeating, paper_is_repeating) as is_repeating,
    coalesce(
        is_templating,
        coalesce(is_incrementing, paper_is_incrementing) or coalesce(is_repeating, paper_is_repeating)
    ) as is_templating,
    paper_is_incrementing,
    paper_is_repeating,
    huffman_code_length,
    paper_huffman_coding_length,
    nl_score,
    -- Each classifier has thresholds of its own.
    case
        when tables.table_schema = 'paper' and nl_score >= {{ var('paper_nl_score_language_from') }} then 'nl'
        when tables.table_schema = 'paper' and nl_score <= {{ var('paper_nl_score_code_up_to') }} then 'code'
        when tables.table_schema = 'memtax' and nl_score >= {{ var('nl_score_language_from') }} then 'nl'
        when tables.table_schema = 'memtax' and nl_score < {{ var('nl_score_code_below') }} then 'code'
        when nl_score is not null then 'uncertain'
    end as code_type,
    coalesce(semantic_matches_0_8, {{ published_matches('semantic', '0_8') }}) as semantic_matches_0_8,
    coalesce(semantic_matches_0_9, {{ published_matches('semantic', '0_9') }}) as semantic_matches_0_9,
    coalesce(textual_matches_0_8, {{ published_matches('textual', '0_8') }}) as textual_matches_0_8,
    coalesce(textual_matches_0_9, {{ published_matches('textual', '0_9') }}) as textual_matches_0_9,
    paper_snowclones_0_8,
    paper_snowclones_0_9,
    paper_templates_0_8,
    paper_templates_0_9,
    loss,
    coalesce(
        prompt_perplexity,
        pow(
            case when paper_prompt_perplexity > 0 then paper_prompt_perplexity end,
            ({{ var('prompt_length') }} + {{ var('continuation_length') }} - 1) / ({{ var('prompt_length') }} - 1)
        )
    ) as prompt_perplexity,
    coalesce(
        generation_perplexity,
        pow(
            case when paper_generation_perplexity > 0 then paper_generation_perplexity end,
            ({{ var('prompt_length') }} + {{ var('continuation_length') }} - 1) / {{ var('continuation_length') }}
        )
    ) as generation_perplexity,
    coalesce(
        sequence_perplexity, case when paper_sequence_perplexity > 0 then paper_sequence_perplexity end
    ) as sequence_perplexity,
    paper_prompt_perplexity,
    paper_generation_perplexity,
    paper_sequence_perplexity,
    continuation_log_probability,
    greedy_match_length,
    memorized,
    memorization_score
from {{ source('raw', 'feature_rows') }} as landed
left join {{ source('raw', 'feature_tables') }} as tables
    using (dataset, model, revision)
