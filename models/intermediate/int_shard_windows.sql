-- One row per shard of a corpus, evaluated sequence of it and span of that sequence: what has to be counted where. Prompt and
-- whole window are counted beside the continuation, so that a repeated continuation can be told from a repeated document.
-- One more row per shard, of the span `tokens` and of no sequence, asks for the frequencies of its tokens: the pass that counts
-- spans counts them too, where they are not known yet.
-- Only corpora that have been landed or registered have shards; the sequences of others cannot be counted.
with spans as (
    select
        corpus,
        sequence_id,
        token_offset,
        tokens_checksum,
        {{ each_struct(list_of([
            struct_of({'span': "'continuation'", 'span_tokens': 'continuation'}),
            struct_of({'span': "'prompt'", 'span_tokens': 'prompt'}),
            struct_of({'span': "'window'", 'span_tokens': 'prompt || continuation'})
        ])) }}
    from {{ ref('int_evaluated_sequences') }}
)

select
    shards.corpus,
    shards.shard_id,
    spans.sequence_id,
    spans.token_offset,
    spans.tokens_checksum,
    spans.span,
    spans.span_tokens,
    {{ list_length('spans.span_tokens') }} as span_length,
    shards.shard_checksum,
    shards.storage,
    shards.token_dtype
from {{ ref('stg_corpus_shards') }} as shards
inner join spans
    on shards.corpus = spans.corpus
-- What the scan can look for; a span of another length keeps NULL counts.
where {{ list_length('spans.span_tokens') }} between 8 and 128
union all
select
    corpus,
    shard_id,
    -1 as sequence_id,
    -1 as token_offset,
    shard_checksum as tokens_checksum,
    'tokens' as span,
    null as span_tokens,
    null as span_length,
    shard_checksum,
    storage,
    token_dtype
from {{ ref('stg_corpus_shards') }}
