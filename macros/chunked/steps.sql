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


{#- Rows that are no longer in the input, or are there under another fingerprint. Those that are stale for the model's own reason
    stay until the chunk that replaces them is there: a run that fails or is killed has lost nothing but that chunk. -#}
{% macro chunked_delete_stale(work) -%}
    {%- call statement('chunked_delete_stale', auto_begin=True) -%}
        delete from {{ work.target }} as stored
        where not exists (
            select 1
            from (select {{ work['keys'] | join(', ') }}, {{ work.fingerprint }} as wanted_fingerprint from {{ work.input }}) as wanted
            where wanted.wanted_fingerprint = stored.fingerprint
              {% for key in work['keys'] -%} and wanted.{{ key }} = stored.{{ key }} {% endfor %}
        )
    {%- endcall -%}
{%- endmacro %}


{#- Put the input rows that are not stored, or are stale there, into a temporary table, and return the chunks: each some of its
    rows, of one fingerprint, or of what the model says in its place, and with it of one language model, one tokenizer or one
    shard.

    The rows are sorted once and then numbered as they stream past: what does not fit into memory is sorted on disk, and a
    chunk is read without a look at the rest. The input may itself be chunked and have a column `fingerprint`, so that the
    one wanted here goes by another name. -#}
{% macro chunked_find_pending(work) -%}
    {%- set in_order = "" -%}
    {%- if work.chunk_rows > 0 -%}
        {%- set in_order = "order by " ~ work.chunk_by ~ ", " ~ work['keys'] | join(', ') -%}
    {%- endif -%}
    {%- call statement('chunked_find_pending', auto_begin=True) -%}
        create or replace temporary table {{ work.pending }} as
        with wanted as (
            select *, {{ work.fingerprint }} as wanted_fingerprint from {{ work.input }}
        ),

        missing as (
            select * from wanted
            where ({{ work.only }}) and not exists (
                select 1 from (select * from {{ work.target }} where not coalesce(({{ work.stale }}), false)) as stored
                where wanted.wanted_fingerprint = stored.fingerprint
                  {% for key in work['keys'] -%} and wanted.{{ key }} = stored.{{ key }} {% endfor %}
            )
            {{ in_order }}
        )

        select *, {{ "row_number() over ()" if in_order else "0" }} as pending_row from missing
    {%- endcall -%}
    {#- Asked once: to look for them at each chunk would read the whole target for nothing, chunk after chunk. -#}
    {%- do work.update({'replaces': work.stale != 'false' and run_query(
        "select exists (select 1 from " ~ work.target ~ " where (" ~ work.stale ~ ") and (" ~ work.only ~ "))"
    ).rows[0][0]}) -%}
    {%- set found = run_query(
        "select cast(" ~ work.chunk_by ~ " as varchar) as kin, min(wanted_fingerprint), min(pending_row), max(pending_row), "
        ~ "count(*) from " ~ work.pending ~ " group by kin order by kin"
    ) -%}
    {%- set chunks = [] -%}
    {%- for kin, fingerprint, first, last, rows in found.rows -%}
        {%- if in_order -%}
            {%- do chunks.extend(chunked_runs(work, fingerprint, first | int, last | int, rows | int)) -%}
        {%- else -%}
            {%- do chunks.extend(chunked_parts(work, kin, fingerprint, rows | int)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(chunks) }}
{%- endmacro %}


{#- The chunks of chunk_rows rows, one after the other, of the rows that belong together. -#}
{% macro chunked_runs(work, fingerprint, first, last, rows) -%}
    {%- if last - first + 1 != rows -%}
        {{ exceptions.raise_compiler_error(
            "the rows of " ~ work.name ~ " were not numbered in their order; report this as a bug"
        ) }}
    {%- endif -%}
    {%- set chunks = [] -%}
    {%- for begin in range(first, last + 1, work.chunk_rows) -%}
        {%- set end = [begin + work.chunk_rows - 1, last] | min -%}
        {%- do chunks.append({
            'fingerprint': fingerprint,
            'rows': end - begin + 1,
            'kind': 'table',
            'condition': "pending_row between " ~ begin ~ " and " ~ end,
        }) -%}
    {%- endfor -%}
    {{ return(chunks) }}
{%- endmacro %}


{#- All rows that belong together as one chunk, or in as many equal parts as DuckDB's memory asks for. They are too many to
    copy, so that a chunk is a view. -#}
{% macro chunked_parts(work, kin, fingerprint, rows) -%}
    {%- set parts = 1 -%}
    {%- if work.row_bytes -%}
        {%- set limit = run_query("select current_setting('memory_limit')").rows[0][0] -%}
        {%- set parts = 1 + rows * work.row_bytes // (chunked_bytes(limit) // 2) -%}
    {%- endif -%}
    {%- set chunks = [] -%}
    {%- for part in range(parts) -%}
        {%- do chunks.append({
            'fingerprint': fingerprint,
            'rows': rows * (part + 1) // parts - rows * part // parts,
            'kind': 'view',
            'condition': "cast(" ~ work.chunk_by ~ " as varchar) = '" ~ kin ~ "'"
                ~ (" and hash(" ~ work['keys'] | join(', ') ~ ") % " ~ parts ~ " = " ~ part if parts > 1 else ""),
        }) -%}
    {%- endfor -%}
    {{ return(chunks) }}
{%- endmacro %}


{#- DuckDB's '1.8 GiB' as a number. -#}
{% macro chunked_bytes(setting) -%}
    {%- set number, unit = setting.split(' ') -%}
    {{ return((number | float * 1024 ** ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'].index(unit)) | int) }}
{%- endmacro %}


{#- Compute one chunk and insert it, in the place of rows that are stale; the caller commits both at once. -#}
{% macro chunked_build(work, chunk) -%}
    {%- call statement('chunked_take', auto_begin=True) -%}
        create or replace temporary {{ chunk.kind }} {{ work.chunk }} as
        select * exclude (pending_row, wanted_fingerprint) from {{ work.pending }} where {{ chunk.condition }}
    {%- endcall -%}
    {%- set substitutions = {} -%}
    {%- if work.setup -%}
        {%- set substitutions = context[work.setup](work) -%}
    {%- endif -%}
    {%- if work.replaces -%}
        {%- call statement('chunked_replace', auto_begin=True) -%}
            delete from {{ work.target }} as stored
            where exists (
                select 1 from {{ work.chunk }} as taken
                where true {%- for key in work['keys'] %} and taken.{{ key }} = stored.{{ key }}{% endfor %}
            )
        {%- endcall -%}
    {%- endif -%}
    {%- call statement('chunked_insert', auto_begin=True) -%}
        insert into {{ work.target }}
        {%- if work.chunk_by == 'wanted_fingerprint' %}
        select *, '{{ chunk.fingerprint }}' as fingerprint
        from ({{ chunked_select(work, work.chunk, substitutions) }}) as computed
        {%- else %}
        select computed.*, wanted.wanted_fingerprint as fingerprint
        from ({{ chunked_select(work, work.chunk, substitutions) }}) as computed
        inner join (select * from {{ work.pending }} where {{ chunk.condition }}) as wanted
            on true
            {%- for key in work['keys'] %} and wanted.{{ key }} = computed.{{ key }}{% endfor %}
        {%- endif %}
    {%- endcall -%}
    {%- call statement('chunked_drop', auto_begin=True) -%} drop {{ chunk.kind }} {{ work.chunk }} {%- endcall -%}
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
    {%- call statement('chunked_clean_up', auto_begin=True) -%}
        drop table if exists {{ work.pending }}
    {%- endcall -%}
{%- endmacro %}
