{#- Set-ups of `chunked` models that read registered files: they stop the run where a file is gone or is no longer the one whose
    checksum is in the fingerprint, so that rows of two models or tokenizers never share one. -#}

{% macro require_registered_model(work) -%}
    {%- do require_no_fault(
        "select model_fault(location, model_checksum) from (select distinct location, model_checksum from " ~ work.chunk
        ~ ") where model_checksum not like 'commit:%'"
    ) -%}
    {{ return({}) }}
{%- endmacro %}

{% macro require_registered_tokenizer(work) -%}
    {%- do require_no_fault(
        "select tokenizer_fault(tokenizer, tokenizer_checksum) from "
        ~ "(select distinct tokenizer, tokenizer_checksum from " ~ work.chunk ~ ")"
    ) -%}
    {{ return({}) }}
{%- endmacro %}

{#- Of a reference model: its own tokenizer reads the text where the corpus has another. -#}
{% macro require_registered_reference(work) -%}
    {%- do require_registered_model(work) -%}
    {%- do require_no_fault(
        "select tokenizer_fault(reference_tokenizer, reference_tokenizer_checksum) from "
        ~ "(select distinct reference_tokenizer, reference_tokenizer_checksum from " ~ work.chunk ~ " where not shares_tokenizer)"
    ) -%}
    {{ return({}) }}
{%- endmacro %}

{% macro require_no_fault(faults) -%}
    {%- for row in run_query(faults).rows if row[0] is not none -%}
        {{ exceptions.raise_compiler_error(row[0]) }}
    {%- endfor -%}
{%- endmacro %}
