{#- Lists: what DuckDB and Spark write differently. Each macro is named for what it means; positions count from 1. -#}

{#- The items `first` to `last` of a list; to its end where no last is named. -#}
{% macro list_part(list, first, last=none) -%} {{ adapter.dispatch('list_part')(list, first, last) }} {%- endmacro %}
{% macro default__list_part(list, first, last) -%} {{ list }}[{{ first }}:{{ last if last is not none }}] {%- endmacro %}
{% macro spark__list_part(list, first, last) -%}
    slice({{ list }}, {{ first }}, {% if last is none -%}
        greatest(size({{ list }}) - ({{ first }}) + 1, 0)
    {%- else -%} ({{ last }}) - ({{ first }}) + 1 {%- endif %})
{%- endmacro %}


{#- One item. -#}
{% macro list_item(list, position) -%} {{ adapter.dispatch('list_item')(list, position) }} {%- endmacro %}
{% macro default__list_item(list, position) -%} {{ list }}[{{ position }}] {%- endmacro %}
{% macro spark__list_item(list, position) -%} element_at({{ list }}, {{ position }}) {%- endmacro %}


{#- How many items a list has; NULL for no list. -#}
{% macro list_length(list) -%} {{ adapter.dispatch('list_length')(list) }} {%- endmacro %}
{% macro default__list_length(list) -%} len({{ list }}) {%- endmacro %}
{% macro spark__list_length(list) -%} size({{ list }}) {%- endmacro %}


{#- The largest item. -#}
{% macro list_largest(list) -%} {{ adapter.dispatch('list_largest')(list) }} {%- endmacro %}
{% macro default__list_largest(list) -%} list_max({{ list }}) {%- endmacro %}
{% macro spark__list_largest(list) -%} array_max({{ list }}) {%- endmacro %}


{#- The mean of a list of doubles. -#}
{% macro list_mean(list) -%} {{ adapter.dispatch('list_mean')(list) }} {%- endmacro %}
{% macro default__list_mean(list) -%} list_avg({{ list }}) {%- endmacro %}
{% macro spark__list_mean(list) -%}
    aggregate({{ list }}, cast(0 as double), (total, item) -> total + item) / nullif(size({{ list }}), 0)
{%- endmacro %}


{#- The share of places at which two lists of one length have equal items. -#}
{% macro share_of_equal_items(one, other) -%} {{ adapter.dispatch('share_of_equal_items')(one, other) }} {%- endmacro %}
{% macro default__share_of_equal_items(one, other) -%}
    list_sum(
        list_transform(list_zip({{ one }}, {{ other }}), lambda pair: cast(pair[1] = pair[2] as integer))
    ) / len({{ other }})
{%- endmacro %}
{% macro spark__share_of_equal_items(one, other) -%}
    size(filter(zip_with({{ one }}, {{ other }}, (a, b) -> a = b), equal -> equal)) / nullif(size({{ other }}), 0)
{%- endmacro %}


{#- A list of the given expressions. -#}
{% macro list_of(items) -%} {{ adapter.dispatch('list_of')(items) }} {%- endmacro %}
{% macro default__list_of(items) -%} [{{ items | join(', ') }}] {%- endmacro %}
{% macro spark__list_of(items) -%} array({{ items | join(', ') }}) {%- endmacro %}


{#- Whole numbers as a list of INTEGER, also where there are none. -#}
{% macro list_of_integers(numbers) -%} {{ adapter.dispatch('list_of_integers')(numbers) }} {%- endmacro %}
{% macro default__list_of_integers(numbers) -%} cast([{{ numbers | join(', ') }}] as integer[]) {%- endmacro %}
{% macro spark__list_of_integers(numbers) -%} cast(array({{ numbers | join(', ') }}) as array<int>) {%- endmacro %}


{#- Aggregates: the values of a group as a list, in no order; and the distinct ones, ascending. -#}
{% macro collected(value) -%} {{ adapter.dispatch('collected')(value) }} {%- endmacro %}
{% macro default__collected(value) -%} list({{ value }}) {%- endmacro %}
{% macro spark__collected(value) -%} collect_list({{ value }}) {%- endmacro %}

{% macro collected_distinct(value) -%} {{ adapter.dispatch('collected_distinct')(value) }} {%- endmacro %}
{% macro default__collected_distinct(value) -%} list(distinct {{ value }} order by {{ value }}) {%- endmacro %}
{% macro spark__collected_distinct(value) -%} array_sort(collect_set({{ value }})) {%- endmacro %}


{#- Aggregate: the `n` smallest of the structs, which begin with `key`, ascending. On both engines a group keeps no more than
    n at a time, so that one with millions of rows is no larger than another. -#}
{% macro smallest(struct, key, n, where) -%} {{ adapter.dispatch('smallest')(struct, key, n, where) }} {%- endmacro %}
{% macro default__smallest(struct, key, n, where) -%} min({{ struct }}, {{ n }}) filter (where {{ where }}) {%- endmacro %}
{% macro spark__smallest(struct, key, n, where) -%}
    array_sort(min_by({{ struct }}, {{ key }}, {{ n }}) filter (where {{ where }}))
{%- endmacro %}

{#- Aggregate: the structs, which begin with `key`, as a list in its order. -#}
{% macro collected_in_order(struct, key) -%} {{ adapter.dispatch('collected_in_order')(struct, key) }} {%- endmacro %}
{% macro default__collected_in_order(struct, key) -%} list({{ struct }} order by {{ key }}) {%- endmacro %}
{% macro spark__collected_in_order(struct, key) -%} array_sort(collect_list({{ struct }})) {%- endmacro %}


{#- In a select: a row for each item of a list, which a column holds. -#}
{% macro each_item(list) -%} {{ adapter.dispatch('each_item')(list) }} {%- endmacro %}
{% macro default__each_item(list) -%} unnest({{ list }}) {%- endmacro %}
{% macro spark__each_item(list) -%} explode({{ list }}) {%- endmacro %}


{#- In a select: a row for each struct of a list, its fields as columns. -#}
{% macro each_struct(list) -%} {{ adapter.dispatch('each_struct')(list) }} {%- endmacro %}
{% macro default__each_struct(list) -%} unnest({{ list }}, recursive := true) {%- endmacro %}
{% macro spark__each_struct(list) -%} inline({{ list }}) {%- endmacro %}


{#- Landed tokens, `width` bytes each, as a list of numbers: on Spark they are stored as bytes. -#}
{% macro tokens_as_list(tokens, width) -%} {{ adapter.dispatch('tokens_as_list')(tokens, width) }} {%- endmacro %}
{% macro default__tokens_as_list(tokens, width) -%} cast({{ tokens }} as uinteger[]) {%- endmacro %}
{% macro spark__tokens_as_list(tokens, width) -%}
    transform(
        sequence(0, length({{ tokens }}) - {{ width }}, {{ width }}),
        place -> cast(conv(hex(reverse(substring({{ tokens }}, place + 1, {{ width }}))), 16, 10) as bigint)
    )
{%- endmacro %}
