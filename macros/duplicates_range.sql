{#- SQL for the fewest duplicates of the range that a count is in: single counts up to the category's threshold, where the curve
    of memorization turns, and ranges that double in width from there. NULL for an unknown count.

    duplicates   SQL for the count -#}
{% macro duplicates_from(duplicates) -%}
    {%- set threshold = var('recitation_threshold') -%}
    case
        when {{ duplicates }} < {{ threshold }} then cast({{ duplicates }} as bigint)
        else cast({{ threshold }} * pow(2, floor(log2({{ duplicates }} / {{ threshold }}))) as bigint)
    end
{%- endmacro %}


{#- SQL for the most duplicates of the same range.

    first   SQL for what duplicates_from gives -#}
{% macro duplicates_to(first) -%}
    case when {{ first }} < {{ var('recitation_threshold') }} then {{ first }} else 2 * {{ first }} - 1 end
{%- endmacro %}
