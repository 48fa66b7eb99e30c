-- One row per evaluated sequence and model that can be trained or tested on: whether it is memorized, its category, the
-- features, and the side of the split that it is on. Windows with one continuation form a group, and a group is on one
-- side: otherwise a model would be tested on what it has seen. Groups are drawn within their category by an md5 of the
-- seed and the continuation: the same ones on any engine, and for every model and checkpoint, so that these can be compared.
with wanted as (
    select distinct
        corpus,
        sequence_id,
        token_offset
    from {{ ref('dataset_members') }}
    {% if var('taxonomy_datasets') -%}
        where dataset in ({% for name in var('taxonomy_datasets') -%}
            '{{ name | replace("'", "''") }}'{{ ", " if not loop.last }}
        {%- endfor %})
    {%- endif %}
),

labelled as (
    select distinct on (corpus, sequence_id, token_offset, features.model, features.revision)
        features.* exclude (dataset),
        md5('{{ var("taxonomy_seed") }}' || cast(sequences.continuation as varchar)) as group_key
    from wanted
    inner join {{ ref('features') }} as features
        using (corpus, sequence_id, token_offset)
    inner join {{ ref('int_evaluated_sequences') }} as sequences
        using (corpus, sequence_id, token_offset)
    where features.category is not null and features.memorized is not null
),

groups as (
    select
        model,
        revision,
        group_key,
        min(category) as category
    from labelled
    group by model, revision, group_key
),

drawn as (
    select
        model,
        revision,
        group_key,
        row_number() over (partition by model, revision, category order by group_key)
        <= round({{ var('taxonomy_test_share') }} * count(*) over (partition by model, revision, category)) as is_test
    from groups
)

select
    labelled.corpus,
    labelled.sequence_id,
    labelled.token_offset,
    labelled.model,
    labelled.revision,
    labelled.group_key,
    labelled.category,
    labelled.memorized,
    {% for feature in var('taxonomy_features') %}
        cast(labelled."{{ feature | replace('"', '""') }}" as double) as "{{ feature | replace('"', '""') }}",
    {% endfor %}
    case when drawn.is_test then 'test' else 'train' end as split
from labelled
inner join drawn
    using (model, revision, group_key)
