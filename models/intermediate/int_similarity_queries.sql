-- One row per evaluated sequence, with a digest of the reference set that it is compared with.
with reference_set as (
    select {{ set_digest(['corpus', 'sequence_id', 'token_offset', 'tokens_checksum', 'fingerprint']) }} as reference_checksum
    from {{ ref('int_similarity_references') }}
)

select
    vectors.corpus,
    vectors.sequence_id,
    vectors.token_offset,
    vectors.tokens_checksum,
    vectors.fingerprint as embedding_fingerprint,
    reference_set.reference_checksum
from {{ ref('int_sequence__embedding') }} as vectors
cross join reference_set
