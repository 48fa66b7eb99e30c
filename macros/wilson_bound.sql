{#- SQL for one end of the 95 % Wilson score interval of a share (E. B. Wilson, JASA 22, 1927).

    successes, trials   SQL for the counts; NULL where there are no trials
    sign                -1 for the lower end, 1 for the upper -#}
{% macro wilson_bound(successes, trials, sign) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set n = "nullif(cast(" ~ trials ~ " as double), 0)" -%}
    {%- set p = "(" ~ successes ~ ") / " ~ n -%}
    {{ 'greatest(0' if sign < 0 else 'least(1' }}, (
        {{ p }} + {{ z * z / 2 }} / {{ n }}
        + {{ sign * z }} * sqrt({{ p }} * (1 - {{ p }}) / {{ n }} + {{ z * z / 4 }} / ({{ n }} * {{ n }}))
    ) / (1 + {{ z * z }} / {{ n }}))
{%- endmacro %}
