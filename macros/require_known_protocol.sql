{#- Stops a run whose var `protocol` is a slip: it would otherwise be taken for the default. -#}
{% macro require_known_protocol() -%}
    {%- if var('protocol') not in ['corrected', 'paper'] -%}
        {{ exceptions.raise_compiler_error(
            "the var protocol is '" ~ var('protocol') ~ "'; expected corrected (the default) or paper"
        ) }}
    {%- endif -%}
{%- endmacro %}
