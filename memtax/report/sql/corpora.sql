-- The corpora. Of a tokenizer only the file's name is shown: where it lies is nobody's business.
select
    corpus,
    n_sequences,
    sequence_length,
    n_tokens,
    token_dtype,
    regexp_extract(tokenizer, '[^/\\]*$') as tokenizer
from dim_corpora
order by corpus
