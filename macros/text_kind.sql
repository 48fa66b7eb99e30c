{#- SQL for whether a row of `features` is code or natural language, in words; 'uncertain' between the two, and 'unknown'
    without a score. -#}
{% macro text_kind() -%}
    case code_type when 'nl' then 'natural language' else coalesce(code_type, 'unknown') end
{%- endmacro %}
