{#- Fails with each value below `minimum`; NULL passes, since not_null is a test of its own. -#}
{% test value_at_least(model, column_name, minimum) %}
    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} < {{ minimum }}
{% endtest %}
