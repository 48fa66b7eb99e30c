{#- SQL for whether a row of `features` is one that the taxonomy is trained or tested on. -#}
{% macro is_trained_on() -%}
    category is not null
    and memorized is not null
    {%- if usable_var('taxonomy_datasets') %}
        and dataset in ({% for name in var('taxonomy_datasets') -%}
            '{{ name | replace("'", "''") }}'{{ ", " if not loop.last }}
        {%- endfor %})
    {%- endif %}
{%- endmacro %}
