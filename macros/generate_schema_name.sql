{#- Schemas are named plainly (`raw`, `staging`, `intermediate`, `main`): one database holds one store, so that dbt's
    usual prefix would only lengthen what people type. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
