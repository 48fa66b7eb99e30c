{#- The steps of the `chunked` materialization (macros/chunked/materialization.sql), in the order in which it takes
    them. Each gets the `work` that chunked_work() describes. -#}

{#- Make the target if it is missing, asked for afresh (--full-refresh) or of other columns than the select now has. -#}
{% macro chunked_prepare_target(work) -%}
    {%- set existing = load_cached_relation(work.target) -%}
    {%- set shape = "select *, cast(null as varchar) as fingerprint from (" ~ chunked_select(work, none) ~ ") as computed" -%}
    {%- if existing is not none and (should_full_refresh() or not chunked_same_columns(work, shape)) -%}
        {%- do adapter.drop_relation(existing) -%}
        {%- set existing = none -%}
    {%- endif -%}
    {%- if existing is none -%}
        {%- call statement('chunked_create', auto_begin=True) -%}
            create table {{ work.target }} as {{ shape }} where false
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}


{% macro chunked_same_columns(work, shape) -%}
    {%- set wanted = run_query("describe " ~ shape) -%}
    {%- set stored = run_query("describe " ~ work.target) -%}
    {{ return(
        wanted.columns[0].values() == stored.columns[0].values()
        and wanted.columns[1].values() == stored.columns[1].values()
    ) }}
{%- endmacro %}


{#- Rows that are no longer in the input, are there under another fingerprint, or are stale for the model's own reason; the
    last only where this run computes them again. -#}
{% macro chunked_delete_stale(work) -%}
    {%- call statement('chunked_delete_stale', auto_begin=True) -%}
        delete from {{ work.target }} as stored
        where not exists (
            select 1
            from (select {{ work['keys'] | join(', ') }}, {{ work.fingerprint }} as wanted_fingerprint from {{ work.input }}) as wanted
            where wanted.wanted_fingerprint = stored.fingerprint
              {% for key in work['keys'] -%} and wanted.{{ key }} = stored.{{ key }} {% endfor %}
        )
        or (({{ work.stale }}) and ({{ work.only }}))
    {%- endcall -%}
{%- endmacro %}


{#- The input may itself be chunked and have a column `fingerprint`, so that the one wanted here goes by another name.

    Put the input rows that are not stored into a temporary table, numbered by chunk, and return the chunks. Rows of
    one chunk have one fingerprint, or what the model says in its place: with it one language model, one tokenizer or one
    shard. -#}
{% macro chunked_find_pending(work) -%}
    {%- set keys = work['keys'] | join(', ') -%}
    {%- set part = "0" -%}
    {%- if work.chunk_rows > 0 -%}
        {%- set part = "(row_number() over (partition by " ~ work.chunk_by ~ " order by " ~ keys ~ ") - 1) // " ~ work.chunk_rows -%}
    {%- endif -%}
    {%- call statement('chunked_find_pending', auto_begin=True) -%}
        create or replace temporary table {{ work.pending }} as
        with wanted as (
            select *, {{ work.fingerprint }} as wanted_fingerprint from {{ work.input }}
        ),

        missing as (
            select * from wanted
            where ({{ work.only }}) and not exists (
                select 1 from {{ work.target }} as stored
                where wanted.wanted_fingerprint = stored.fingerprint
                  {% for key in work['keys'] -%} and wanted.{{ key }} = stored.{{ key }} {% endfor %}
            )
        ),

        parted as (
            select *, {{ part }} as part from missing
        )

        select * exclude (part), dense_rank() over (order by {{ work.chunk_by }}, part) as chunk from parted
    {%- endcall -%}
    {%- set found = run_query(
        "select chunk, min(wanted_fingerprint), count(*) from " ~ work.pending ~ " group by chunk order by chunk"
    ) -%}
    {%- set chunks = [] -%}
    {%- for row in found.rows -%}
        {%- do chunks.append({'number': row[0], 'fingerprint': row[1], 'rows': row[2] | int}) -%}
    {%- endfor -%}
    {{ return(chunks) }}
{%- endmacro %}


{#- Compute one chunk and insert it; the caller commits. -#}
{% macro chunked_build(work, chunk) -%}
    {%- call statement('chunked_take', auto_begin=True) -%}
        create or replace temporary table {{ work.chunk }} as
        select * exclude (chunk, wanted_fingerprint) from {{ work.pending }} where chunk = {{ chunk.number }}
    {%- endcall -%}
    {%- set substitutions = {} -%}
    {%- if work.setup -%}
        {%- set substitutions = context[work.setup](work) -%}
    {%- endif -%}
    {%- call statement('chunked_insert', auto_begin=True) -%}
        insert into {{ work.target }}
        {%- if work.chunk_by == 'wanted_fingerprint' %}
        select *, '{{ chunk.fingerprint }}' as fingerprint
        from ({{ chunked_select(work, work.chunk, substitutions) }}) as computed
        {%- else %}
        select computed.*, wanted.wanted_fingerprint as fingerprint
        from ({{ chunked_select(work, work.chunk, substitutions) }}) as computed
        inner join {{ work.pending }} as wanted
            on wanted.chunk = {{ chunk.number }}
            {%- for key in work['keys'] %} and wanted.{{ key }} = computed.{{ key }}{% endfor %}
        {%- endif %}
    {%- endcall -%}
{%- endmacro %}


{#- The model's select over `relation` instead of its input (none: the input itself, only to describe or create). -#}
{% macro chunked_select(work, relation, substitutions={}) -%}
    {%- set text = namespace(sql=work.sql) -%}
    {%- if relation is not none -%}
        {%- set text.sql = text.sql | replace(work.input | string, relation) -%}
    {%- endif -%}
    {%- for old, new in substitutions.items() -%}
        {%- set text.sql = text.sql | replace(old, new) -%}
    {%- endfor -%}
    {{ return(text.sql) }}
{%- endmacro %}


{% macro chunked_clean_up(work) -%}
    {%- for relation in [work.pending, work.chunk] -%}
        {%- call statement('chunked_clean_up', auto_begin=True) -%}
            drop table if exists {{ relation }}
        {%- endcall -%}
    {%- endfor -%}
{%- endmacro %}
