{#- What makes a run take as many threads as the var says: DuckDB's own, and those of the native code behind the UDFs, which
    sees no var. The settings last as long as dbt's process. On Spark the cores of an executor are its tasks'. -#}
{% macro use_threads() -%} {{ adapter.dispatch('use_threads')() }} {%- endmacro %}
{% macro default__use_threads() -%}
    {%- set threads = usable_var('threads') -%}
    {%- if threads > 0 %} set threads to {{ threads }}; {% endif -%}
    select set_threads({{ threads }})
{%- endmacro %}
{% macro spark__use_threads() -%} {%- endmacro %}
