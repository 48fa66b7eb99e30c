{#- Stops a run whose vars would be taken for something that nobody asked for. -#}
{% macro require_usable_vars() -%}
    {%- if var('protocol') not in ['corrected', 'paper'] -%}
        {{ exceptions.raise_compiler_error(
            "the var protocol is '" ~ var('protocol') ~ "'; expected corrected (the default) or paper"
        ) }}
    {%- endif -%}
    {%- set low, high = var('nl_score_code_below') | float(-1), var('nl_score_language_from') | float(-1) -%}
    {%- if not 0 <= low <= high <= 1 -%}
        {{ exceptions.raise_compiler_error(
            "the vars nl_score_code_below and nl_score_language_from are " ~ var('nl_score_code_below') ~ " and "
            ~ var('nl_score_language_from') ~ "; expected two probabilities, the first not above the second"
        ) }}
    {%- endif -%}
{%- endmacro %}
