-- One row per registered language model and revision, with how it is to be loaded.
select
    models.model,
    models.revision,
    models.corpus,
    models.location,
    -- A hub's branch moves; the commit that was registered does not.
    case
        when models.model_checksum like 'commit:%' then substr(models.model_checksum, 8)
        else models.revision
    end as scored_revision,
    models.model_checksum,
    models.n_parameters,
    models.vocabulary_size,
    models.training_fraction,
    coalesce(models.dtype, '{{ var("model_dtype") }}') as dtype,
    models.device,
    -- Of a model that came without one, as from the hub, the tokenizer is that of the corpus that it was trained on.
    coalesce(models.tokenizer, corpora.tokenizer) as tokenizer,
    coalesce(models.tokenizer_checksum, corpora.tokenizer_checksum) as tokenizer_checksum
from {{ ref('stg_models') }} as models
left join {{ ref('stg_corpora') }} as corpora
    on models.corpus = corpora.corpus
