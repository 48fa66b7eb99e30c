{#- What makes a run take as many threads as the var says: DuckDB's own, and those of the native code behind the UDFs, which
    sees no var. The settings last as long as dbt's process. On Spark the cores of an executor are its tasks'. -#}
{% macro use_threads() -%} {{ adapter.dispatch('use_threads')() }} {%- endmacro %}
{% macro default__use_threads() -%}
    {%- set threads = var('threads') -%}
    {%- if threads is not integer or threads < 0 -%}
        {{ exceptions.raise_compiler_error(
            "the var threads is " ~ threads ~ "; expected a whole number of threads, or 0 for all processors"
        ) }}
    {%- endif -%}
    {%- if threads > 0 %} set threads to {{ threads }}; {% endif -%}
    select set_threads({{ threads }})
{%- endmacro %}
{% macro spark__use_threads() -%} {%- endmacro %}
