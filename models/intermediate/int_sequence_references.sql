-- One row per evaluated sequence and reference model that was trained on another corpus. It sees the window's own tokens if
-- it has the same tokenizer, and its text in tokens of its own if not.
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
    models.tokenizer as reference_tokenizer,
    models.tokenizer_checksum as reference_tokenizer_checksum,
    sequences.tokenizer,
    sequences.tokenizer_checksum,
    coalesce(models.tokenizer_checksum = sequences.tokenizer_checksum, models.tokenizer is null) as shares_tokenizer,
    sequences.prompt,
    sequences.prompt || sequences.continuation as tokens,
    texts.prompt_text,
    texts.text,
    texts.fingerprint as text_fingerprint
from {{ ref('int_evaluated_sequences') }} as sequences
inner join {{ ref('int_corpus_references') }} as chosen
    on sequences.corpus = chosen.corpus and sequences.corpus <> chosen.reference_corpus
inner join {{ ref('int_models') }} as models
    on chosen.reference_model = models.model and chosen.reference_revision = models.revision
-- A window whose text has yet to be computed is scored after that: without it the score would be NULL, and stay so.
inner join {{ ref('int_sequence__text') }} as texts
    on
        sequences.corpus = texts.corpus
        and sequences.sequence_id = texts.sequence_id
        and sequences.token_offset = texts.token_offset
        and sequences.tokens_checksum = texts.tokens_checksum
