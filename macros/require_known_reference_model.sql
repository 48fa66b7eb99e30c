{#- Stops a run whose var `reference_model` names a model that is not registered: no window would get a gain, without a word. -#}
{% macro require_known_reference_model() -%}
    {%- set named = var('reference_model') | string -%}
    {%- if execute and named not in ['smallest', 'none'] -%}
        {%- set found = run_query("select model || '@' || revision from raw.models order by 1").columns[0].values() -%}
        {%- if (named if '@' in named else named ~ '@main') not in found -%}
            {{ exceptions.raise_compiler_error(
                "the var reference_model is '" ~ named ~ "'; expected smallest, none or a registered NAME[@REVISION] ("
                ~ (found | join(', ') or 'none is') ~ " registered)"
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
