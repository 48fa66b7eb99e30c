{#- Stops a run whose vars name a dataset that is not in the store: nothing, or something else than was meant, would be trained
    on, without a word. -#}
{% macro require_known_datasets() -%}
    {%- for name_of_var, otherwise in [
        ('taxonomy_datasets', 'an empty list for all'), ('taxonomy_memorized_datasets', 'an empty list for none')
    ] -%}
        {%- set named = usable_var(name_of_var) -%}
        {%- if execute and named -%}
            {%- set known = run_query(
                "select dataset from raw.dataset_members union select dataset from raw.feature_tables order by 1"
            ).columns[0].values() -%}
            {%- for name in named if name not in known -%}
                {{ exceptions.raise_compiler_error(
                    "the var " ~ name_of_var ~ " names the dataset " ~ name ~ ", which is not in the store; expected some of "
                    ~ (known | join(', ') or 'none, as none has been landed') ~ ", or " ~ otherwise
                ) }}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
