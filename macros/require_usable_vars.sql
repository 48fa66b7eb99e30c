{#- Stops a run whose vars would be taken for something that nobody asked for. -#}
{% macro require_usable_vars() -%}
    {#- dbt passes over a var that nobody declared: a slip of the pen would change nothing, without a word. -#}
    {%- for name in invocation_args_dict.get('vars') or {} if name not in var_rules() -%}
        {{ exceptions.raise_compiler_error(
            "there is no var " ~ name ~ "; expected some of " ~ (var_rules() | sort | join(', '))
            ~ ". dbt_project.yml says what they mean"
        ) }}
    {%- endfor -%}
    {%- for name in var_rules() -%} {%- do usable_var(name) -%} {%- endfor -%}
    {%- if var('nl_score_code_below') > var('nl_score_language_from') -%}
        {{ exceptions.raise_compiler_error(
            "the vars nl_score_code_below and nl_score_language_from are " ~ var('nl_score_code_below') ~ " and "
            ~ var('nl_score_language_from') ~ "; expected two probabilities, the first not above the second"
        ) }}
    {%- endif -%}
{%- endmacro %}
