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


{#- The models of the store beside a relation `counted` with model and revision: size and share of training done. -#}
{% macro with_models() -%}
    left join {{ ref('dim_models') }} as models
        on counted.model = models.model and counted.revision = models.revision
{%- endmacro %}
