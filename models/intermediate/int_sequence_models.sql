-- One row per evaluated sequence and registered model of its corpus: what a language model has to score.
select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    sequences.tokens_checksum,
    models.model,
    models.revision,
    models.location,
    -- A hub's branch moves; the commit that was registered does not.
    case
        when models.model_checksum like 'commit:%' then substr(models.model_checksum, 8)
        else models.revision
    end as scored_revision,
    models.model_checksum,
    sequences.prompt || sequences.continuation as tokens
from {{ ref('int_evaluated_sequences') }} as sequences
inner join {{ ref('stg_models') }} as models
    on sequences.corpus = models.corpus
