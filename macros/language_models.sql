{#- What the models share that run a language model. -#}

{#- The struct of options that the scoring functions take. `everything` adds what a var may ask of the one pass over the
    whole window. -#}
{% macro language_model_options(everything=false) -%}
    {{ struct_of({
        'dtype': 'dtype',
        'device': 'device',
        'temperature': 'cast(' ~ usable_var('sampling_temperature') ~ ' as double)',
        'top_k': 'cast(' ~ usable_var('sampling_top_k') ~ ' as integer)',
        'token_log_probabilities': everything and var('token_log_probabilities'),
        'attention': everything and var('attention')
    }) }}
{%- endmacro %}


{#- Which rows this run scores: all, or those of one shard of several (var score_shard, 'I/N'), each of which is a process of
    its own. By a digest of the window, so that every machine agrees, shards are alike and each loads a model once. -#}
{% macro in_score_shard() -%}
    {%- set shard = var('score_shard') -%}
    {%- if not shard -%}
        true
    {%- elif shard == 'none' -%}
        false
    {%- else -%}
        {%- set parts = (shard | string).split('/') -%}
        {%- set number, total = parts[0] | int(-1), parts[-1] | int(-1) -%}
        {%- if parts | length != 2 or not 1 <= number <= total -%}
            {{ exceptions.raise_compiler_error(
                "the var score_shard is " ~ shard ~ "; expected I/N, the I-th of N shards, such as 1/4"
            ) }}
        {%- endif -%}
        {{ number_of_text("corpus || '/' || sequence_id || '/' || token_offset") }} % {{ total }} = {{ number - 1 }}
    {%- endif -%}
{%- endmacro %}


{#- What makes a stored row of scores stale beside its fingerprint: a var asks for something of the pass that was not asked
    for when it was made. Taking the var back deletes nothing. -#}
{% macro lacks_what_is_asked_for() -%}
    {%- set lacks = ['false'] -%}
    {%- if var('token_log_probabilities') -%}
        {%- do lacks.append('token_log_probabilities is null') -%}
    {%- endif -%}
    {%- if var('attention') -%}
        {%- do lacks.append('entropy_heads is null') -%}
    {%- endif -%}
    loss is not null and ({{ lacks | join(' or ') }})
{%- endmacro %}


{#- The lengths of prompt beside the whole one that the var prompt_lengths asks for. -#}
{% macro shorter_prompt_lengths() -%}
    {%- set lengths = [] -%}
    {%- for length in usable_var('prompt_lengths') -%}
        {%- if length > usable_var('prompt_length') -%}
            {{ exceptions.raise_compiler_error(
                "the var prompt_lengths names " ~ length ~ "; expected numbers of tokens from 1 to the var prompt_length ("
                ~ var('prompt_length') ~ "), as a stored window has no longer prompt"
            ) }}
        {%- endif -%}
        {%- if length != var('prompt_length') -%} {%- do lengths.append(length) -%} {%- endif -%}
    {%- endfor -%}
    {{ return(lengths | unique | list) }}
{%- endmacro %}


{#- Set-up of the `chunked` models that run one: the registered files are there and unchanged, and the model has an
    embedding for every token. -#}
{% macro require_usable_model(work) -%}
    {%- do require_registered_model(work) -%}
    {%- do require_no_fault(
        "select 'model ' || model || '@' || revision || ' has a vocabulary of ' || any_value(vocabulary_size) || ' tokens, and corpus '"
        ~ " || corpus || ' has token id ' || max(" ~ list_largest('tokens') ~ ") || ' in an evaluated sequence; they belong to different "
        ~ "tokenizers: register the model with the corpus that it was trained on'"
        ~ " from " ~ work.chunk ~ " group by model, revision, corpus having max(" ~ list_largest('tokens') ~ ") >= any_value(vocabulary_size)"
    ) -%}
    {{ return({}) }}
{%- endmacro %}
