-- One row per window that can be trained or tested on: the group that is kept on one side of every split, how it was told, and
-- the side and the fold that it is on. A model that is tested on what it has seen, or nearly so, seems better than it is.
--
-- Windows whose continuations have the same letters (case, digits, punctuation and spacing set aside) are one group; with few
-- letters or no text, windows with the same tokens; and where a landed table has no tokens, rows of one sequence. A landed row
-- has no text: it is in the group of a computed window with its tokens.
--
-- Groups are drawn within their category by an md5 of the seed and the group: the same ones on any engine, and for every model
-- and checkpoint, so that these can be compared. They are numbered in a random order.
with windows as (
    select
        corpus,
        sequence_id,
        token_offset,
        min(category) as category,
        min(dataset) <> max(dataset) as is_in_several_datasets
    from {{ ref('features') }}
    where {{ is_trained_on() }}
    group by corpus, sequence_id, token_offset
),

computed as (
    select
        sequences.corpus,
        sequences.sequence_id,
        sequences.token_offset,
        trim(regexp_replace(lower(texts.continuation_text), '[^\pL]+', ' ', 'g')) as letters,
        md5(cast(sequences.continuation as varchar)) as tokens_digest
    from {{ ref('int_evaluated_sequences') }} as sequences
    left join {{ ref('feat_sequence__text') }} as texts
        using (corpus, sequence_id, token_offset)
),

landed as (
    select
        corpus,
        sequence_id,
        token_offset,
        min(continuation_digest) as tokens_digest
    from {{ ref('stg_feature_rows') }}
    where continuation_digest is not null
    group by corpus, sequence_id, token_offset
),

lettered as (
    select
        tokens_digest,
        min(md5(letters)) as letters_key
    from computed
    where length(letters) >= 20
    group by tokens_digest
),

grouped as (
    select
        windows.corpus,
        windows.sequence_id,
        windows.token_offset,
        windows.category,
        windows.is_in_several_datasets,
        case
            when length(computed.letters) >= 20 then md5(computed.letters)
            else coalesce(
                lettered.letters_key,
                computed.tokens_digest,
                landed.tokens_digest,
                windows.corpus || ' ' || windows.sequence_id
            )
        end as group_key,
        case
            when length(computed.letters) >= 20 or lettered.letters_key is not null then 'letters of the continuation'
            when coalesce(computed.tokens_digest, landed.tokens_digest) is not null then 'tokens of the continuation'
            else 'sequence_id'
        end as grouped_by
    from windows
    left join computed
        using (corpus, sequence_id, token_offset)
    left join landed
        using (corpus, sequence_id, token_offset)
    left join lettered
        on landed.tokens_digest = lettered.tokens_digest
),

drawn as (
    select
        group_key,
        row_number() over (order by draw, group_key) as group_number,
        row_number() over (partition by category order by draw, group_key) as place,
        count(*) over (partition by category) as n_groups
    from (
        select
            group_key,
            min(category) as category,
            md5('{{ var("taxonomy_seed") }}' || group_key) as draw
        from grouped
        group by group_key
    ) as groups
)

select
    grouped.corpus,
    grouped.sequence_id,
    grouped.token_offset,
    grouped.is_in_several_datasets,
    grouped.group_key,
    grouped.grouped_by,
    cast(drawn.group_number as integer) as group_number,
    case when drawn.place <= round({{ var('taxonomy_test_share') }} * drawn.n_groups) then 'test' else 'train' end as split,
    cast(drawn.place % {{ var('taxonomy_folds') }} as integer) as fold
from grouped
inner join drawn
    using (group_key)
