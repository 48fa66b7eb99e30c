{#- Category of a sequence: the one place that decides it. The paper's protocol takes the paper's templating flags, every
    other one takes ours. NULL where it cannot be told: nothing was counted, or it is infrequent and has no text to look at.

    duplicates, templating   aliases of relations with the columns of feat_sequence__duplicates and feat_sequence__templating -#}
{% macro category(duplicates, templating) -%}
    case
        when {{ duplicates }}.sequence_duplicates >= {{ var('recitation_threshold') }} then 'recitation'
        when {{ duplicates }}.sequence_duplicates is null then null
        when {{ decides_reconstruction(templating) }} then 'reconstruction'
        when not {{ decides_reconstruction(templating) }} then 'recollection'
    end
{%- endmacro %}


{% macro decides_reconstruction(templating) -%}
    {%- if var('protocol') == 'paper' -%}
        ({{ templating }}.paper_is_incrementing or {{ templating }}.paper_is_repeating)
    {%- else -%}
        {{ templating }}.is_templating
    {%- endif -%}
{%- endmacro %}
