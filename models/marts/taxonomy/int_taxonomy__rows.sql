-- One row per window and model that can be trained or tested on: whether it is memorized, its category, the features, and the
-- side of the split and the fold that its group is on.
--
-- A dataset in which a model has memorized everything is no sample of the corpus: its rows are not representative. A window
-- that several datasets have counts once, and as representative if one of them is. To find those, only the rows of a model's
-- second and later datasets are looked up: the first one, nearly always the largest, keeps all of its rows.
{%- set names = var('paper_features') if var('protocol') == 'paper' else var('taxonomy_features') %}
with datasets as (
    select
        dataset,
        model,
        revision,
        not bool_and(memorized) as is_representative,
        row_number() over (partition by model, revision order by bool_and(memorized), dataset) as place
    from {{ ref('features') }}
    where {{ is_trained_on() }}
    group by dataset, model, revision
),

later as (
    select
        corpus,
        sequence_id,
        token_offset,
        model,
        revision,
        dataset,
        datasets.place
    from {{ ref('features') }}
    inner join datasets
        using (dataset, model, revision)
    where datasets.place > 1 and {{ is_trained_on() }}
),

-- Read from the features, whose size is known to the engine: it then builds the hash table on the few later rows.
earlier as (
    select
        corpus,
        sequence_id,
        token_offset,
        model,
        revision,
        datasets.place
    from {{ ref('features') }}
    inner join datasets
        using (dataset, model, revision)
    where {{ is_trained_on() }}
),

repeated as (
    select distinct
        later.corpus,
        later.sequence_id,
        later.token_offset,
        later.model,
        later.revision,
        later.dataset
    from earlier
    inner join later
        using (corpus, sequence_id, token_offset, model, revision)
    where earlier.place < later.place
),

labelled as (
    select
        features.*,
        datasets.is_representative
    from {{ ref('features') }} as features
    inner join datasets
        using (dataset, model, revision)
    anti join repeated
        using (corpus, sequence_id, token_offset, model, revision, dataset)
    where {{ is_trained_on() }}
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
    drawn.grouped_by,
    drawn.group_number,
    labelled.category,
    {{ own_category(ref('features')) }} as own_category,
    labelled.code_type,
    labelled.memorized,
    {% for name in names %}
        {{ taxonomy_feature(name, ref('features')) }} as "feature {{ name | replace('"', '""') }}",
    {% endfor %}
    {{ duplicates_from('labelled.sequence_duplicates') }} as duplicates_from,
    {{ distribution_measures(ref('features')) }}
    drawn.split,
    drawn.fold
from labelled
inner join {{ ref('int_taxonomy__groups') }} as drawn
    using (corpus, sequence_id, token_offset)
