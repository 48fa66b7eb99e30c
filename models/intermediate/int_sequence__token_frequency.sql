-- One row per evaluated sequence: the corpus frequency of each of its tokens, and statistics of them. Looked up natively:
-- joins and sorted lists in SQL take several times as long. NULL where the corpus was not landed.
{{ config(
    materialized='chunked',
    meta={
        'input': 'int_sequence_corpora',
        'unique_key': ['corpus', 'sequence_id', 'token_offset', 'tokens_checksum'],
        'fingerprint': fingerprint(version=1, columns=['corpus', 'corpus_checksum']),
        'udfs': ['token_frequency_statistics'],
        'chunk_rows': 100000,
    }
) }}

with frequencies as (
    select
        corpus,
        token_id,
        cast(sum(frequency) as bigint) as frequency
    from {{ ref('int_shard_token__frequencies') }}
    where corpus in (select corpus from {{ ref('int_sequence_corpora') }})
    group by corpus, token_id
),

tables as {{ computed_once() }} (
    -- Without a landed corpus there is nothing to count, which is not the same as a count of 0.
    select
        corpus,
        build_frequency_table({{ collected('token_id') }}, {{ collected('frequency') }}, {{ scratch() }}) as handle
    from frequencies
    group by corpus
)

select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    sequences.tokens_checksum,
    token_frequency_statistics(sequences.tokens, tables.handle) as statistics
from {{ ref('int_sequence_corpora') }} as sequences
left join tables
    on sequences.corpus = tables.corpus
