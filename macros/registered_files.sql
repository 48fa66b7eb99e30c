{#- Set-ups of `chunked` models that read registered files: they stop the run where a file is gone or is no longer the one whose
    checksum is in the fingerprint, so that rows of two models or tokenizers never share one. -#}

{% macro require_registered_model(work) -%}
    {%- do require_no_fault(
        "select 'model ' || model || '@' || revision || ': ' || model_fault(location, model_checksum) from "
        ~ "(select distinct model, revision, location, model_checksum from " ~ work.chunk
        ~ ") as chosen where model_checksum not like 'commit:%'"
    ) -%}
    {%- do scoring_begins(work) -%}
    {{ return({}) }}
{%- endmacro %}

{#- The statement that runs a language model over a chunk is silent until it ends, so its functions speak, and for an estimate
    they need a total. Spark has a progress of its own. -#}
{% macro scoring_begins(work) -%} {{ adapter.dispatch('scoring_begins')(work) }} {%- endmacro %}
{% macro default__scoring_begins(work) -%}
    {%- do run_query(
        "select begin_scan('" ~ work.name ~ ", ' || min(model || '@' || revision), count(*)) from " ~ work.chunk
    ) -%}
{%- endmacro %}
{% macro spark__scoring_begins(work) -%} {%- endmacro %}

{% macro require_registered_tokenizer(work) -%}
    {%- do require_no_fault(
        "select tokenizer_fault(tokenizer, tokenizer_checksum) from "
        ~ "(select distinct tokenizer, tokenizer_checksum from " ~ work.chunk ~ ")"
    ) -%}
    {{ return({}) }}
{%- endmacro %}

{#- Of a reference model: where the corpus has another tokenizer, both read the window. -#}
{% macro require_registered_reference(work) -%}
    {%- do require_registered_model(work) -%}
    {%- do require_no_fault(
        "select tokenizer_fault(location, checksum) from (select reference_tokenizer as location, "
        ~ "reference_tokenizer_checksum as checksum from " ~ work.chunk ~ " where not shares_tokenizer union distinct "
        ~ "select tokenizer, tokenizer_checksum from " ~ work.chunk ~ " where not shares_tokenizer) as asked"
    ) -%}
    {{ return({}) }}
{%- endmacro %}

{% macro require_no_fault(faults) -%}
    {%- for row in run_query(faults).rows if row[0] is not none -%}
        {{ exceptions.raise_compiler_error(row[0]) }}
    {%- endfor -%}
{%- endmacro %}
