-- One row per evaluated sequence: its text, and which files the classifier of code and natural language consists of now.
with classifier as (
    select nl_model_checksum('{{ var("nl_score_with") | replace("'", "''") }}') as nl_model_checksum
)

select
    texts.corpus,
    texts.sequence_id,
    texts.token_offset,
    texts.tokens_checksum,
    texts.text,
    texts.fingerprint as text_fingerprint,
    classifier.nl_model_checksum
from {{ ref('int_sequence__text') }} as texts
cross join classifier
