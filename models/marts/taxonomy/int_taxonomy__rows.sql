-- One row per window and model that can be trained or tested on: whether it is memorized, its category, the features, and the
-- side of the split and the fold that its group is on.
--
-- A view: joining the rows of one model takes seconds, and writing those of all once more takes longer than training on them.
{{ config(materialized='view') }}
{%- set names = usable_var('paper_features' if var('protocol') == 'paper' else 'taxonomy_features') %}
with drawn as (
    -- Joined before tables that remove rows: DuckDB keeps the side in memory that it expects to be smaller, and it expects
    -- far fewer rows of features behind them than there are.
    select
        features.*,
        groups.grouped_by,
        groups.group_number,
        groups.split,
        groups.fold
    from {{ ref('features') }} as features
    inner join {{ ref('int_taxonomy__groups') }} as groups
        using (corpus, sequence_id, token_offset)
    where {{ is_trained_on() }}
),

labelled as (
    select
        drawn.*,
        datasets.is_representative
    from drawn
    inner join {{ ref('int_taxonomy__datasets') }} as datasets
        using (dataset, model, revision)
    anti join {{ ref('int_taxonomy__repeated') }}
        using (corpus, sequence_id, token_offset, model, revision, dataset)
)

select
    labelled.corpus,
    labelled.sequence_id,
    labelled.token_offset,
    labelled.model,
    labelled.revision,
    '{{ var("protocol") }}' as protocol,
    labelled.dataset,
    labelled.source_row,
    labelled.is_representative,
    labelled.grouped_by,
    labelled.group_number,
    labelled.category,
    {{ own_category(ref('features')) }} as own_category,
    labelled.code_type,
    labelled.memorized,
    {% for name in names %}
        {{ taxonomy_feature(name, ref('features')) }} as "feature {{ name | replace('"', '""') }}",
    {% endfor %}
    {{ duplicates_from('labelled.sequence_duplicates') }} as duplicates_from,
    {{ distribution_measures(ref('features')) }}
    labelled.split,
    labelled.fold
from labelled
