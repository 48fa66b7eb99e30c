-- One row per window and model that can be trained or tested on: whether it is memorized, its category, the features, and the
-- side of the split and the fold that it is on. Groups are drawn within their category by an md5 of the seed and the group:
-- the same ones on any engine, and for every model and checkpoint, so that these can be compared.
--
-- A dataset in which a model has memorized everything is no sample of the corpus: its rows are not representative. A window
-- that several datasets have counts once, and as representative if one of them is.
{%- set names = var('paper_features') if var('protocol') == 'paper' else var('taxonomy_features') %}
with candidates as (
    select
        *,
        not bool_and(memorized) over (partition by dataset, model, revision) as is_representative
    from {{ ref('features') }}
    where
        category is not null
        and memorized is not null
        {% if var('taxonomy_datasets') -%}
            and dataset in ({% for name in var('taxonomy_datasets') -%}
                '{{ name | replace("'", "''") }}'{{ ", " if not loop.last }}
            {%- endfor %})
        {%- endif %}
),

repeated as (
    select
        corpus,
        sequence_id,
        token_offset,
        model,
        revision,
        arg_min(dataset, (not is_representative, dataset)) as dataset
    from candidates
    group by corpus, sequence_id, token_offset, model, revision
    having count(*) > 1
),

labelled as (
    select candidates.*
    from candidates
    left join repeated
        using (corpus, sequence_id, token_offset, model, revision)
    where repeated.dataset is null or repeated.dataset = candidates.dataset
),

groups as (
    select
        known.group_key,
        min(labelled.category) as category,
        md5('{{ var("taxonomy_seed") }}' || known.group_key) as draw
    from labelled
    inner join {{ ref('int_taxonomy__groups') }} as known
        using (corpus, sequence_id, token_offset)
    group by known.group_key
),

drawn as (
    select
        group_key,
        row_number() over (partition by category order by draw) as place,
        row_number() over (order by draw, group_key) as group_number,
        count(*) over (partition by category) as n_groups
    from groups
)

select
    labelled.corpus,
    labelled.sequence_id,
    labelled.token_offset,
    labelled.model,
    labelled.revision,
    labelled.dataset,
    labelled.source_row,
    labelled.is_representative,
    known.group_key,
    known.grouped_by,
    cast(drawn.group_number as integer) as group_number,
    labelled.category,
    cast({{ var('taxonomy_expression') or 'null' }} as varchar) as own_category,
    labelled.code_type,
    labelled.memorized,
    {% for name in names %}
        {{ taxonomy_feature(name, ref('features')) }} as "feature {{ name | replace('"', '""') }}",
    {% endfor %}
    {{ duplicates_from('labelled.sequence_duplicates') }} as duplicates_from,
    {{ distribution_measures(ref('features')) }}
    case when drawn.place <= round({{ var('taxonomy_test_share') }} * drawn.n_groups) then 'test' else 'train' end as split,
    cast(drawn.place % {{ var('taxonomy_folds') }} as integer) as fold
from labelled
inner join {{ ref('int_taxonomy__groups') }} as known
    using (corpus, sequence_id, token_offset)
inner join drawn
    using (group_key)
