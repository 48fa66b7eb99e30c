-- One row per corpus, model, revision and token id that occurs in the corpus: its occurrences, split by whether the sequence
-- is known to be memorized by the model. A sequence of which nothing is known counts as not memorized.
with models as (
    select distinct
        corpus,
        model,
        revision
    from {{ ref('int_sequence_model__memorization') }}
),

memorized as (
    select
        corpus,
        model,
        revision,
        token_id,
        sum(memorized_frequency) as frequency
    from {{ ref('int_shard_model_token__frequencies') }}
    group by corpus, model, revision, token_id
)

select
    frequencies.corpus,
    models.model,
    models.revision,
    frequencies.token_id,
    cast(coalesce(memorized.frequency, 0) as bigint) as memorized_frequency,
    cast(frequencies.frequency - coalesce(memorized.frequency, 0) as bigint) as non_memorized_frequency
from {{ ref('token_frequencies') }} as frequencies
inner join models
    on frequencies.corpus = models.corpus
left join memorized
    on
        frequencies.corpus = memorized.corpus
        and models.model = memorized.model
        and models.revision = memorized.revision
        and frequencies.token_id = memorized.token_id
