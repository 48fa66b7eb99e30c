{#- SQL to order the checkpoints of a model by, from the columns training_fraction and revision. By custom `main` is the finished
    model, and the first number in the name of any other is its step, or the stage that its step is of: as text, step1000 would
    come before step512.

    last_first   whether the order is the reverse, from the last checkpoint back -#}
{% macro checkpoint_order(last_first=false) -%}
    {%- set direction = 'desc nulls last' if last_first else 'asc nulls first' -%}
    coalesce(training_fraction, case when revision = 'main' then 1 end) {{ direction }},
    try_cast(nullif(regexp_extract(revision, '[0-9]+', 0), '') as bigint) {{ direction }},
    try_cast(nullif(regexp_extract(lower(revision), 'step[-_]?([0-9]+)', 1), '') as bigint) {{ direction }},
    revision {{ direction }}
{%- endmacro %}
