{#- Text, structs and digests: what DuckDB and Spark write differently, each macro named for what it means. -#}

{#- Any value as text. -#}
{% macro as_text(value) -%} {{ adapter.dispatch('as_text')(value) }} {%- endmacro %}
{% macro default__as_text(value) -%} cast({{ value }} as varchar) {%- endmacro %}
{% macro spark__as_text(value) -%} cast({{ value }} as string) {%- endmacro %}


{#- A text, such as a path or a name, as SQL that stands for it. Spark takes a backslash for the start of an escape, and two
    quotes for the end of one text and the start of the next. -#}
{% macro literal(text) -%} {{ return(adapter.dispatch('literal')(text)) }} {%- endmacro %}
{% macro default__literal(text) -%} {{ return("'" ~ (text | string | replace("'", "''")) ~ "'") }} {%- endmacro %}
{% macro spark__literal(text) -%}
    {{ return("'" ~ (text | string | replace("\\", "\\\\") | replace("'", "\\'")) ~ "'") }}
{%- endmacro %}


{#- A struct of a mapping from names to expressions. -#}
{% macro struct_of(fields) -%} {{ adapter.dispatch('struct_of')(fields) }} {%- endmacro %}
{% macro default__struct_of(fields) -%}
    struct_pack({% for name, value in fields.items() %}{{ name }} := {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
{% macro spark__struct_of(fields) -%}
    named_struct({% for name, value in fields.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}


{#- Aggregate: texts joined by a separator, in an order. -#}
{% macro joined_text(value, separator, order) -%} {{ adapter.dispatch('joined_text')(value, separator, order) }} {%- endmacro %}
{% macro default__joined_text(value, separator, order) -%}
    string_agg({{ value }}, '{{ separator }}' order by {{ order }})
{%- endmacro %}
{% macro spark__joined_text(value, separator, order) -%}
    string_agg({{ value }}, '{{ separator }}') within group (order by {{ order }})
{%- endmacro %}


{#- Aggregate: a mean whose last bit depends on no order of storage, where the engine can promise that. -#}
{% macro steady_mean(value, order) -%} {{ adapter.dispatch('steady_mean')(value, order) }} {%- endmacro %}
{% macro default__steady_mean(value, order) -%} avg({{ value }} order by {{ order }}) {%- endmacro %}
{% macro spark__steady_mean(value, order) -%} avg({{ value }}) {%- endmacro %}


{#- A whole number from 0 on that a text alone decides, the same in every process. -#}
{% macro number_of_text(text) -%} {{ adapter.dispatch('number_of_text')(text) }} {%- endmacro %}
{% macro default__number_of_text(text) -%} md5_number_lower({{ text }}) {%- endmacro %}
{% macro spark__number_of_text(text) -%} cast(conv(substring(md5({{ text }}), 1, 15), 16, 10) as bigint) {%- endmacro %}


{#- Aggregate: a digest of a set of rows, whatever their order and without holding them; rows must be distinct. -#}
{% macro set_digest(columns) -%} {{ adapter.dispatch('set_digest')(columns) }} {%- endmacro %}
{% macro default__set_digest(columns) -%}
    md5(concat_ws('|', count(*), bit_xor(md5_number(concat_ws('|', {{ columns | join(', ') }})))))
{%- endmacro %}
{% macro spark__set_digest(columns) -%}
    {%- set digest = "md5(concat_ws('|', " ~ columns | join(', ') ~ "))" -%}
    md5(concat_ws(
        '|',
        count(*),
        bit_xor(cast(conv(substring({{ digest }}, 1, 15), 16, 10) as bigint)),
        bit_xor(cast(conv(substring({{ digest }}, 16, 15), 16, 10) as bigint))
    ))
{%- endmacro %}


{#- A text, or an empty one for NULL. On DuckDB concat(), which makes nothing of NULL: coalesce() must not see text of a UDF, as
    DuckDB 1.5 frees it too early there, and the first row's bytes are lost. -#}
{% macro text_or_empty(value) -%} {{ adapter.dispatch('text_or_empty')(value) }} {%- endmacro %}
{% macro default__text_or_empty(value) -%} concat({{ value }}) {%- endmacro %}
{% macro spark__text_or_empty(value) -%} coalesce({{ value }}, '') {%- endmacro %}
