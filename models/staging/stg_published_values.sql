-- One row per evaluated window (at offset 0, as all that is published) and model (NULL: of the sequence alone) that others
-- published values of, one column to a feature. Where two splits bring a value, the larger one is taken, whatever the order
-- in which they were landed.
select
    tables.corpus,
    landed.sequence_id,
    cast(0 as integer) as token_offset,
    nullif(tables.model, '') as model,
    tables.revision,
    cast(max(landed.value) filter (where tables.feature = 'sequence_duplicates') as bigint) as sequence_duplicates,
    max(landed.value) filter (where tables.feature = 'nl_score') as nl_score,
    {% for kind in ('semantic', 'textual') %}
        {% for threshold in ('0_8', '0_9') %}
            cast(
                max(landed.value) filter (
                    where tables.feature = '{{ published_matches(kind, threshold) }}'
                ) as bigint
            ) as {{ kind }}_matches_{{ threshold }},
        {% endfor %}
    {% endfor %}
    max(landed.value) filter (where tables.feature = 'paper_avg_entropy') as paper_avg_entropy,
    max(landed.value) filter (where tables.feature = 'paper_avg_gini') as paper_avg_gini,
    -- The paper wrote -1 where it had none.
    max(landed.value) filter (
        where tables.feature = 'paper_prompt_perplexity' and landed.value > 0
    ) as paper_prompt_perplexity,
    max(landed.value) filter (
        where tables.feature = 'paper_generation_perplexity' and landed.value > 0
    ) as paper_generation_perplexity,
    max(landed.value) filter (
        where tables.feature = 'paper_sequence_perplexity' and landed.value > 0
    ) as paper_sequence_perplexity
from {{ source('raw', 'published_values') }} as landed
inner join {{ source('raw', 'published_tables') }} as tables
    on landed.table_id = tables.table_id
group by tables.corpus, landed.sequence_id, tables.model, tables.revision
