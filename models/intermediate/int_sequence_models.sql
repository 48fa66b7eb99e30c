-- One row per evaluated sequence and registered model of its corpus: what a language model has to score.
select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    sequences.tokens_checksum,
    models.model,
    models.revision,
    models.location,
    models.scored_revision,
    models.model_checksum,
    models.vocabulary_size,
    models.dtype,
    models.device,
    sequences.prompt || sequences.continuation as tokens
from {{ ref('int_evaluated_sequences') }} as sequences
inner join {{ ref('int_models') }} as models
    on sequences.corpus = models.corpus
