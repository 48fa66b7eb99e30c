-- One row per evaluated sequence and model that scored it: how surprising the window is to that model.
select
    corpus,
    sequence_id,
    token_offset,
    model,
    revision,
    loss,
    prompt_perplexity,
    generation_perplexity,
    sequence_perplexity,
    paper_prompt_perplexity,
    paper_generation_perplexity,
    paper_sequence_perplexity,
    continuation_log_probability
from {{ ref('int_sequence_model__scores') }}
