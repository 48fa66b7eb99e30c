{#- What the regressions see under the protocol: a list of columns of `features`. -#}
{% macro taxonomy_features() -%}
    {{ return(var('paper_features') if var('protocol') == 'paper' else var('taxonomy_features')) }}
{%- endmacro %}


{#- SQL for a feature as a double: NULL where `features` has no such column, so that training reports it by name instead of
    failing. -#}
{% macro taxonomy_feature(name, relation) -%}
    {%- set known = [] -%}
    {%- if execute -%}
        {%- set known = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- endif -%}
    {%- if name == 'paper_is_templating' -%}
        cast(paper_is_incrementing or paper_is_repeating as double)
    {%- elif name in known or not execute -%}
        cast({{ adapter.quote(name) }} as double)
    {%- else -%}
        cast(null as double)
    {%- endif -%}
{%- endmacro %}
