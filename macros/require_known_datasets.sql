{#- Stops a run whose var `taxonomy_datasets` names a dataset that is not in the store: nothing, or less than was meant, would be
    trained on, without a word. -#}
{% macro require_known_datasets() -%}
    {%- set named = usable_var('taxonomy_datasets') -%}
    {%- if execute and named -%}
        {%- set known = run_query(
            "select dataset from raw.dataset_members union select dataset from raw.feature_tables order by 1"
        ).columns[0].values() -%}
        {%- for name in named if name not in known -%}
            {{ exceptions.raise_compiler_error(
                "the var taxonomy_datasets names the dataset " ~ name ~ ", which is not in the store; expected some of "
                ~ (known | join(', ') or 'none, as none has been landed') ~ ", or an empty list for all"
            ) }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
