{#- SQL for whether a row of `features` is code or natural language: by the paper's two thresholds of nl_score (vars); what lies
    between is neither, and without a score it is unknown. -#}
{% macro text_kind() -%}
    case
        when nl_score >= {{ var('natural_language_from') }} then 'natural language'
        when nl_score <= {{ var('code_up_to') }} then 'code'
        when nl_score is not null then 'uncertain'
        else 'unknown'
    end
{%- endmacro %}

