{#- Contracts name types as DuckDB does; Spark's adapter holds what a model selects against these. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        cast(null as {{ spark_type_of(column['data_type']) }}) as {{ column['name'] }}{{ ',' if not loop.last }}
    {%- endfor %}
    from (select 1) as nothing
    where false
{%- endmacro %}


{% macro spark_type_of(data_type) -%}
    {%- set name = data_type | trim | lower -%}
    {%- if name.endswith('[]') -%}
        array<{{ spark_type_of(name[:-2]) }}>
    {%- else -%}
        {#- Spark has no unsigned numbers. -#}
        {{- {'varchar': 'string', 'integer': 'int', 'uinteger': 'bigint', 'usmallint': 'int'}.get(name, name) -}}
    {%- endif -%}
{%- endmacro %}
