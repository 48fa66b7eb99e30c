-- One row per evaluated sequence: how many sequences of the reference set are like it, at each threshold. The set is an
-- immutable file that the first chunk builds (macros/similarity.sql); whenever it changes, all is counted again.
-- depends_on: {{ ref('int_similarity_references') }}, {{ ref('stg_dataset_members') }}
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_similarity_queries',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'tokens_checksum'],
        'fingerprint': fingerprint(
            version=1,
            vars=['similarity_thresholds', 'textual_distance_above', 'textual_distance_below'],
            columns=['embedding_fingerprint', 'reference_checksum']
        ),
        'udfs': ['count_similar'],
        'setup': 'similarity_reference_set',
    }
) }}

select
    queries.corpus,
    queries.sequence_id,
    queries.token_offset,
    queries.tokens_checksum,
    count_similar(
        vectors.embedding,
        texts.prompt_text,
        queries.corpus,
        queries.sequence_id,
        queries.token_offset,
        {{ reference_set() }},
        {{ similarity_thresholds() }},
        {{ var('textual_distance_above') | int }},
        {{ var('textual_distance_below') | int }}
    ) as matches
from {{ ref('int_similarity_queries') }} as queries
inner join {{ ref('int_sequence__embedding') }} as vectors
    on
        queries.corpus = vectors.corpus
        and queries.sequence_id = vectors.sequence_id
        and queries.token_offset = vectors.token_offset
inner join {{ ref('int_sequence__text') }} as texts
    on
        queries.corpus = texts.corpus
        and queries.sequence_id = texts.sequence_id
        and queries.token_offset = texts.token_offset
