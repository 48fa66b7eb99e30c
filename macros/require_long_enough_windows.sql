{#- Stops a run whose vars want longer windows than any that the store holds: the rest of each would be taken for its
    continuation, however short. -#}
{% macro require_long_enough_windows() -%}
    {%- if execute -%}
        {%- set wanted, length = var('prompt_length') + var('continuation_length'), list_length('tokens') -%}
        {#- The first that is long enough ends the search, which is the first of all where the vars are right. -#}
        {%- set from_windows = " from raw.evaluated_sequences" -%}
        {%- set enough = run_query("select 1" ~ from_windows ~ " where " ~ length ~ " >= " ~ wanted ~ " limit 1").rows -%}
        {%- set longest = none if enough else run_query("select max(" ~ length ~ ")" ~ from_windows).rows[0][0] -%}
        {%- if longest is not none -%}
            {{ exceptions.raise_compiler_error(
                "the vars prompt_length and continuation_length are " ~ var('prompt_length') ~ " and " ~ var('continuation_length')
                ~ ", and the store's windows have " ~ longest ~ " tokens; expected at most as many together. Longer windows go "
                ~ "into another database: set the vars in dbt_project.yml and MEMTAX_DATABASE, and sample anew"
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
