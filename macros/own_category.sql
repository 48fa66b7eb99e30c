{#- SQL for the category of a row under the var taxonomy_expression; NULL where there is none. Stops the run where the var is not
    one expression over the columns of `features`.

    relation   `features` -#}
{% macro own_category(relation) -%}
    {%- set expression = var('taxonomy_expression') -%}
    {%- if expression and execute -%}
        {%- set columns = [] -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do columns.append([column.name, column.dtype]) -%}
        {%- endfor -%}
        {%- set arguments = [expression, tojson(columns)] | map('replace', "'", "''") | join("', '") -%}
        {%- do require_no_fault("select expression_fault('" ~ arguments ~ "')") -%}
    {%- endif -%}
    cast(({{ expression or 'null' }}
    ) as varchar)
{%- endmacro %}
