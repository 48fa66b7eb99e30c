{#- SQL for one end of the 95 % Wilson score interval of a share (E. B. Wilson, JASA 22, 1927): the same double on either engine.

    Between 0 and 1, and exactly there where no trial succeeds or every one does: the formula's own value is off by what was
    rounded. Numbers have an exponent, without which they would be decimals, that engines turn into doubles in different ways.

    successes, trials   SQL for the counts; NULL where there are no trials
    sign                -1 for the lower end, 1 for the upper -#}
{% macro wilson_bound(successes, trials, sign) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set n = "nullif(cast(" ~ trials ~ " as double), 0)" -%}
    {%- set p = "(" ~ successes ~ ") / " ~ n -%}
    case
        when {{ trials }} = 0 then null
        when {{ successes }} = {{ '0' if sign < 0 else trials }} then {{ '0e0' if sign < 0 else '1e0' }}
        else least(greatest((
            {{ p }} + {{ z * z / 2 }}e0 / {{ n }}
            + {{ sign * z }}e0 * sqrt({{ p }} * (1 - {{ p }}) / {{ n }} + {{ z * z / 4 }}e0 / ({{ n }} * {{ n }}))
        ) / (1 + {{ z * z }}e0 / {{ n }}), 0e0), 1e0)
    end
{%- endmacro %}
