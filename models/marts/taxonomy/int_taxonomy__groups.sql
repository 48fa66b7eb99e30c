-- One row per window: the group that is kept on one side of every split, and how it was told. A model that is tested on what
-- it has seen, or nearly so, seems better than it is.
--
-- Windows whose continuations have the same letters (case, digits, punctuation and spacing set aside) are one group; with few
-- letters or no text, windows with the same tokens; and where a landed table has no tokens, rows of one sequence.
with computed as (
    select
        sequences.corpus,
        sequences.sequence_id,
        sequences.token_offset,
        regexp_replace(lower(texts.continuation_text), '[^\pL]+', ' ', 'g') as letters,
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
    anti join computed
        using (corpus, sequence_id, token_offset)
    group by corpus, sequence_id, token_offset
)

select
    corpus,
    sequence_id,
    token_offset,
    case when length(letters) >= 20 then md5(letters) else tokens_digest end as group_key,
    case when length(letters) >= 20 then 'letters of the continuation' else 'tokens of the continuation' end as grouped_by
from computed
union all
select
    corpus,
    sequence_id,
    token_offset,
    coalesce(tokens_digest, corpus || ' ' || sequence_id) as group_key,
    case when tokens_digest is null then 'sequence_id' else 'tokens of the continuation' end as grouped_by
from landed
