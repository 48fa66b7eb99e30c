-- One row per evaluated sequence and registered model of its corpus: what a language model has to score.
select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    models.model,
    models.revision,
    models.location,
    models.model_checksum,
    sequences.prompt || sequences.continuation as tokens
from {{ ref('int_evaluated_sequences') }} as sequences
inner join {{ ref('stg_models') }} as models
    on sequences.corpus = models.corpus
