{#- Selecting and combining: what DuckDB and Spark write differently, each macro named for what it means. -#}

{#- In a select: all columns, of a relation where one is named, but some. -#}
{% macro all_columns_but(columns, relation=none) -%} {{ adapter.dispatch('all_columns_but')(columns, relation) }} {%- endmacro %}
{% macro default__all_columns_but(columns, relation) -%}
    {{ relation ~ '.' if relation }}* exclude ({{ columns | join(', ') }})
{%- endmacro %}
{% macro spark__all_columns_but(columns, relation) -%}
    {{ relation ~ '.' if relation }}* except ({{ columns | join(', ') }})
{%- endmacro %}


{#- After `as` of a CTE whose query must run once, not where it is read. Spark runs a CTE that is read once, once. -#}
{% macro computed_once() -%} {{ adapter.dispatch('computed_once')() }} {%- endmacro %}
{% macro default__computed_once() -%} materialized {%- endmacro %}
{% macro spark__computed_once() -%} {%- endmacro %}


{#- Selects one after the other, columns matched by name; one that a select lacks is NULL there. -#}
{% macro union_all_by_name(selects) -%} {{ adapter.dispatch('union_all_by_name')(selects) }} {%- endmacro %}
{% macro default__union_all_by_name(selects) -%} {{ selects | join('\nunion all by name\n') }} {%- endmacro %}
{% macro spark__union_all_by_name(selects) -%}
    {%- set described = [] -%}
    {%- set all = {} -%}
    {%- for select in selects -%}
        {%- set columns = {} -%}
        {%- if execute -%}
            {%- for row in run_query('describe query ' ~ select).rows -%}
                {%- do columns.update({row[0]: row[1]}) -%}
                {%- if all.get(row[0], 'void') == 'void' -%} {%- do all.update({row[0]: row[1]}) -%} {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
        {%- do described.append(columns) -%}
    {%- endfor -%}
    {%- for select in selects %}
    {%- set columns = described[loop.index0] %}
    select
        {%- for name, type in all.items() %}
        {{ name if name in columns else 'cast(null as ' ~ type ~ ') as ' ~ name }}{{ ',' if not loop.last }}
        {%- else %} *
        {%- endfor %}
    from (
    {{ select }}
    ) as part
    {% if not loop.last %} union all {% endif %}
    {%- endfor %}
{%- endmacro %}
