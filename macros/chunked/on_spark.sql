{#- `chunked` on Spark (macros/chunked/materialization.sql says what it is for, and its `meta`).

    The target is a Parquet table with one partition per chunk. A partition appears in the catalogue when all of its files are
    written, so that a killed run leaves whole chunks and nothing else. Where rows of a partition are stale it is written again
    without them; killed in between, they are missing rows, and the next run computes them. -#}
{% materialization chunked, adapter='spark' %}
    {%- set work = chunked_work() -%}
    {%- do work.update({
        'pending': this.incorporate(path={'identifier': model.name ~ '__pending'}, type='table'),
        'chunk': model.name ~ '__chunk',
        'pattern': modules.re.escape(work.input | string) ~ '(?![A-Za-z0-9_])',
    }) -%}
    {{ run_hooks(pre_hooks) }}
    {%- set is_new = spark_chunked_prepare_target(work) -%}
    {%- if not is_new -%} {%- do spark_chunked_drop_stale(work) -%} {%- endif -%}
    {%- set chunks = spark_chunked_find_pending(work, is_new) -%}
    {%- set progress = chunked_progress_start(work, chunks) -%}
    {%- for chunk in chunks -%}
        {%- do spark_chunked_build(work, chunk) -%}
        {%- do chunked_progress_report(work, progress, chunk) -%}
    {%- endfor -%}
    {%- call statement('main') -%} drop table if exists {{ work.pending }} {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [work.target]}) }}
{% endmaterialization %}


{#- Make the target where it is missing, asked for afresh or of other columns than the select now has; whether it was made. -#}
{% macro spark_chunked_prepare_target(work) -%}
    {%- set existing = load_cached_relation(work.target) -%}
    {%- set shape -%}
        select *, cast(null as string) as fingerprint, cast(null as string) as chunk from ({{ work.sql }}) as computed
    {%- endset -%}
    {%- if existing is not none and not should_full_refresh() -%}
        {%- set wanted = run_query("describe query " ~ shape) -%}
        {%- set stored = run_query("describe query select * from " ~ work.target) -%}
        {%- if wanted.columns[0].values() == stored.columns[0].values()
            and wanted.columns[1].values() == stored.columns[1].values() -%}
            {{ return(false) }}
        {%- endif -%}
    {%- endif -%}
    {%- if existing is not none -%} {%- do adapter.drop_relation(existing) -%} {%- endif -%}
    {%- call statement('chunked_create') -%}
        create table {{ work.target }} using parquet partitioned by (chunk) as {{ shape }} where false
    {%- endcall -%}
    {{ return(true) }}
{%- endmacro %}


{#- SQL: the keys and the wanted fingerprint of the input. -#}
{% macro spark_chunked_wanted(work) -%}
    select {{ work['keys'] | join(', ') }}, {{ work.fingerprint }} as wanted_fingerprint from {{ work.input }}
{%- endmacro %}


{#- SQL: the condition that a stored row answers to a wanted one. -#}
{% macro spark_chunked_matches(work) -%}
    wanted.wanted_fingerprint = stored.fingerprint
    {%- for key in work['keys'] %} and wanted.{{ key }} = stored.{{ key }} {%- endfor -%}
{%- endmacro %}


{#- Take stale rows out: a partition of nothing else is dropped, another is written again without them. -#}
{% macro spark_chunked_drop_stale(work) -%}
    {%- set judged -%}
        select *, is_wanted and not coalesce(({{ work.stale }}) and ({{ work.only }}), false) as is_fresh
        from (
            select stored.*, wanted.wanted_fingerprint is not null as is_wanted
            from {{ work.target }} as stored
            left join ({{ spark_chunked_wanted(work) }}) as wanted
                on {{ spark_chunked_matches(work) }}
        ) as compared
    {%- endset -%}
    {%- set found = run_query(
        "select chunk, count(*) filter (where is_fresh) from (" ~ judged ~ ") as judged group by chunk having not every(is_fresh)"
    ) -%}
    {%- for row in found.rows -%}
        {%- if row[1] | int == 0 -%}
            {%- do run_query("alter table " ~ work.target ~ " drop if exists partition (chunk = '" ~ row[0] ~ "')") -%}
        {%- else -%}
            {#- Spark does not overwrite what it reads: the rows that stay go by way of a table. -#}
            {%- do run_query("drop table if exists " ~ work.pending) -%}
            {%- do run_query(
                "create table " ~ work.pending ~ " using parquet as select * except (is_wanted, is_fresh) from (" ~ judged
                ~ ") as judged where is_fresh and chunk = '" ~ row[0] ~ "'"
            ) -%}
            {%- do run_query(
                "insert overwrite " ~ work.target ~ " partition (chunk = '" ~ row[0] ~ "') select * except (chunk) from "
                ~ work.pending
            ) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{#- Put the input rows that are not stored into a table, by chunk, and return the chunks. Rows of one chunk have one
    fingerprint, or one value of chunk_by; where they are too many for one, their keys deal them out to chunks of about one
    size. To number them instead would send all of them to one task. A cluster has many tasks at work on a chunk, so that
    chunks are larger here (the var spark_chunk_rows). -#}
{% macro spark_chunked_find_pending(work, is_new) -%}
    {%- set rows = [work.chunk_rows, var('spark_chunk_rows') | int] | max if work.chunk_rows > 0 else 0 -%}
    {%- do run_query("drop table if exists " ~ work.pending) -%}
    {%- call statement('chunked_find_pending') -%}
        create table {{ work.pending }} using parquet as
        with wanted as (
            select *, {{ work.fingerprint }} as wanted_fingerprint from {{ work.input }}
        ),

        missing as (
            select wanted.* from wanted
            {% if not is_new -%}
            left anti join {{ work.target }} as stored
                on {{ spark_chunked_matches(work) }}
            {% endif -%}
            where {{ work.only }}
        )
        {%- if rows == 0 %}

        select *, {{ as_text(work.chunk_by) }} as chunk_of, 0 as part from missing
        {%- else %},

        kin as (
            select *, {{ as_text(work.chunk_by) }} as chunk_of from missing
        ),

        parts as (
            select chunk_of as parts_of, ceil(count(*) / {{ rows }}) as n_parts from kin group by chunk_of
        )

        select /*+ broadcast(parts) */
            kin.*,
            cast(pmod(xxhash64({{ work['keys'] | join(', ') }}), n_parts) as int) as part
        from kin
        inner join parts on kin.chunk_of <=> parts.parts_of
        distribute by chunk_of, part sort by chunk_of, part
        {%- endif %}
    {%- endcall -%}
    {%- set found = run_query(
        "select chunk_of, part, count(*), min(wanted_fingerprint), count(*) - count(wanted_fingerprint) from " ~ work.pending
        ~ " group by chunk_of, part order by chunk_of, part"
    ) -%}
    {%- set chunks = [] -%}
    {%- for row in found.rows -%}
        {%- if row[4] | int -%}
            {{ exceptions.raise_compiler_error("the fingerprint of chunked model " ~ work.name ~ " is NULL in " ~ row[4] ~ " rows") }}
        {%- endif -%}
        {%- do chunks.append({
            'number': loop.index, 'of': literal(row[0]), 'part': row[1] | int, 'rows': row[2] | int,
            'fingerprint': row[3]
        }) -%}
    {%- endfor -%}
    {{ return(chunks) }}
{%- endmacro %}


{#- Compute one chunk and add it as a partition. Its rows are dealt out to as many tasks as there is work for. -#}
{% macro spark_chunked_build(work, chunk) -%}
    {%- set place -%} chunk_of = {{ chunk.of }} and part = {{ chunk.part }} {%- endset -%}
    {%- set tasks = [[env_var('MEMTAX_SPARK_TASKS') | int, (chunk.rows + 255) // 256] | min, 1] | max -%}
    {%- call statement('chunked_take') -%}
        create or replace temporary view {{ work.chunk }} as
        select /*+ repartition({{ tasks }}) */ * except (chunk_of, part, wanted_fingerprint) from {{ work.pending }}
        where {{ place }}
    {%- endcall -%}
    {#- Were the text read as another one here, the rows would be missing, and no one would be told. -#}
    {%- set taken = run_query("select count(*) from " ~ work.pending ~ " where " ~ place).rows[0][0] | int -%}
    {%- if taken != chunk.rows -%}
        {{ exceptions.raise_compiler_error(
            "a chunk of model " ~ work.name ~ " has " ~ taken ~ " rows where " ~ chunk.rows ~ " wait to be computed: Spark does not "
            ~ "read " ~ chunk.of ~ " as it was written"
        ) }}
    {%- endif -%}
    {%- set text = namespace(sql=modules.re.sub(work.pattern, work.chunk, work.sql)) -%}
    {%- if work.setup -%}
        {%- for old, new in context[work.setup](work).items() -%}
            {%- set text.sql = text.sql | replace(old, new) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- call statement('chunked_insert') -%}
        insert into {{ work.target }} partition (chunk = '{{ invocation_id }}-{{ chunk.number }}')
        {% if work.chunk_by == 'wanted_fingerprint' -%}
        select *, '{{ chunk.fingerprint }}' as fingerprint from ({{ text.sql }}) as computed
        {%- else -%}
        select computed.*, wanted.wanted_fingerprint as fingerprint from ({{ text.sql }}) as computed
        inner join {{ work.pending }} as wanted
            on wanted.chunk_of = {{ chunk.of }} and wanted.part = {{ chunk.part }}
            {%- for key in work['keys'] %} and wanted.{{ key }} = computed.{{ key }} {%- endfor %}
        {%- endif %}
    {%- endcall -%}
{%- endmacro %}
