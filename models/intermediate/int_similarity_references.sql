-- One row per sequence of the reference set: the evaluated sequences with an embedding that are in one of the datasets of the
-- var similarity_reference, or in any where it names none. A sequence of several datasets is there once.
select
    vectors.corpus,
    vectors.sequence_id,
    vectors.token_offset,
    vectors.tokens_checksum,
    vectors.fingerprint,
    texts.prompt_text,
    vectors.embedding
from {{ ref('int_sequence__embedding') }} as vectors
inner join {{ ref('int_sequence__text') }} as texts
    using (corpus, sequence_id, token_offset, tokens_checksum)
where
    vectors.is_embedded
    and exists (
        select 1
        from {{ ref('stg_dataset_members') }} as members
        where
            members.corpus = vectors.corpus
            and members.sequence_id = vectors.sequence_id
            and members.token_offset = vectors.token_offset
            and {{ is_reference_dataset('members.dataset') }}
    )
