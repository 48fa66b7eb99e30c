{#- SQL for the parameters that a model's name states: a number followed by m, b or t (millions, billions, trillions) that stands
    by itself, as in pythia-160m, pythia-1.4b-deduped or OLMo-7B; the first, where there are two. NULL for a name without one.
    k is left out: names have it for lengths of context.

    model   SQL for the name -#}
{% macro parameters_in_name(model) -%}
    {#- A point or low line begins a number only where it does not stand inside one: v2.5b and 1_6b state nothing. -#}
    {%- set size = "'(^|[^a-z0-9._]|[^0-9][._])([0-9]{1,6}([.][0-9]{1,6})?)([mbt])([^a-z0-9]|$)'" -%}
    cast(round(
        cast(nullif(regexp_extract(lower({{ model }}), {{ size }}, 2), '') as double)
        * case regexp_extract(lower({{ model }}), {{ size }}, 4) when 'm' then 1e6 when 'b' then 1e9 else 1e12 end
    ) as bigint)
{%- endmacro %}
