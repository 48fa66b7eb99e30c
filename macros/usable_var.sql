{#- The value of a var, if it is what macros/var_rules.sql says; otherwise the run stops and says what was expected. Beside what
    nobody asked for, such as a flag that is the text "false", this finds what YAML reads unlike a person: `.inf`, `1e6`. -#}
{% macro usable_var(name) -%}
    {%- set rule, value = var_rules()[name], var(name) -%}
    {%- set kind = rule['is'].split(' ')[0] -%}
    {%- if not rule['is'].endswith(' list') or (rule.get('or') == 'text' and value is string) -%}
        {%- set items = [value] -%}
    {%- elif value is string or value is mapping or value is not iterable -%}
        {%- set items = none -%}
    {%- else -%}
        {%- set items = value -%}
    {%- endif -%}
    {%- set wrong = namespace(found=items is none or items | length < rule.get('least', 0)) -%}
    {%- for item in items or [] -%}
        {%- if kind == 'flag' -%}
            {%- set right = item is boolean -%}
        {%- elif kind == 'text' -%}
            {%- set right = item is string and item in rule.get('of', [item]) -%}
        {%- else -%}
            {%- set right = (
                (item is integer or (kind == 'number' and item is float))
                and rule['from'] <= item <= rule['to'] and item != rule.get('but')
            ) -%}
        {%- endif -%}
        {%- if not right -%} {%- set wrong.found = true -%} {%- endif -%}
    {%- endfor -%}
    {%- if wrong.found -%}
        {{ exceptions.raise_compiler_error(
            "the var " ~ name ~ " is " ~ tojson(value, value | string) ~ "; expected " ~ expected_of_var(rule, kind)
            ~ ". Correct it where it was given: --vars, or dbt_project.yml, which says what it means"
        ) }}
    {%- endif -%}
    {{ return(value) }}
{%- endmacro %}


{#- In words, what a rule asks for.

    kind   of a value, or of a list's items -#}
{% macro expected_of_var(rule, kind) -%}
    {%- set range = " from " ~ rule.get('from') ~ " to " ~ rule.get('to') -%}
    {%- set one, many = {
        'flag': ['true or false, without quotes', ''],
        'text': [rule['of'] | join(' or ') if 'of' in rule else 'a text', 'a list of texts'],
        'whole': ['a whole number' ~ range, 'a list of whole numbers' ~ range],
        'number': ['a number' ~ range, 'a list of numbers' ~ range]
    }[kind] -%}
    {{- many if rule['is'].endswith(' list') else one -}}
    {{- ' but ' ~ rule['but'] if 'but' in rule -}}
    {{- ' with at least ' ~ rule['least'] ~ ' of them' if 'least' in rule -}}
    {{- ', such as ' ~ rule['such_as'] if 'such_as' in rule -}}
{%- endmacro %}
