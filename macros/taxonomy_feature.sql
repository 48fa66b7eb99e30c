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
        cast("{{ name | replace('"', '""') }}" as double)
    {%- else -%}
        cast(null as double)
    {%- endif -%}
{%- endmacro %}
