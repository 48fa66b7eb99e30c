{#- SQL for the category of one row: frequent is recitation, whatever the text; else templating is reconstruction, and the
    rest recollection. NULL where it cannot be told: nothing was counted, or it is infrequent and has no text to look at.
    The protocol `paper` asks the paper's own filter whether a text is templating.

    duplicates, templating   relations with sequence_duplicates, and with is_templating and the paper_ flags -#}
{% macro memorization_category(duplicates, templating) -%}
    {%- set is_templating = templating ~ ".is_templating" -%}
    {%- if var('protocol') == 'paper' -%}
        {%- set is_templating = "(" ~ templating ~ ".paper_is_incrementing or " ~ templating ~ ".paper_is_repeating)" -%}
    {%- endif -%}
    case
        when {{ duplicates }}.sequence_duplicates >= {{ var('recitation_threshold') }} then 'recitation'
        when {{ duplicates }}.sequence_duplicates is null then null
        when {{ is_templating }} then 'reconstruction'
        when not {{ is_templating }} then 'recollection'
    end
{%- endmacro %}
