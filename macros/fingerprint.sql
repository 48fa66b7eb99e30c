{#- An SQL expression for the fingerprint of one row of a `chunked` model's input: whatever shaped the result besides
    the row's own tokens. Rows stored under another fingerprint are computed again.

    version   a whole number in the model, raised by whoever changes what its UDF computes
    vars      names of dbt vars; where one may have decimals, 1 and 1.0 are the same
    columns   columns of the input, such as the checksum of a tokenizer or of a language model
    expressions  SQL over the input, such as a UDF's checksum of files that no table names -#}
{% macro fingerprint(version, vars=[], columns=[], expressions=[]) -%}
    {%- set parts = ["'version=" ~ version ~ "'"] -%}
    {#- sqlfluff reads this file without the rules. -#}
    {%- set rules = var_rules() if var_rules is defined else {} -%}
    {%- for name in vars -%}
        {%- set value, kind = var(name), rules.get(name, {}).get('is') -%}
        {%- if kind == 'number' and value is number -%}
            {%- set value = value | float -%}
        {%- elif kind == 'number list' and value is iterable and value is not string -%}
            {%- set value = value | map('float') | list -%}
        {%- endif -%}
        {%- do parts.append(literal(name ~ "=" ~ value)) -%}
    {%- endfor -%}
    {%- for column in columns -%}
        {%- do parts.append("'" ~ column ~ "=' || coalesce(" ~ as_text(column) ~ ", '')") -%}
    {%- endfor -%}
    {%- for expression in expressions -%}
        {%- do parts.append(text_or_empty(expression)) -%}
    {%- endfor -%}
    md5({{ parts | join(" || '|' || ") }})
{%- endmacro %}
