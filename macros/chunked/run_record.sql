{#- What a run of a `chunked` model says while it works, and what it leaves behind: one row per run, model and UDF in
    intermediate.udf_rows_by_run, which shows that a second run computes nothing again. -#}

{% macro chunked_create_run_record() -%}
    {%- call statement('chunked_create_run_record', auto_begin=True) -%}
        create table if not exists intermediate.udf_rows_by_run (
            invocation_id varchar not null,
            model varchar not null,
            udf varchar not null,
            n_rows bigint not null,
            seconds double not null,
            recorded_at timestamp not null default current_timestamp
        )
    {%- endcall -%}
{%- endmacro %}


{#- The rows that each of the model's UDFs has seen in this process so far. -#}
{% macro chunked_rows_seen(work) -%}
    {%- set seen = {} -%}
    {%- for udf in work.udfs -%}
        {%- do seen.update({udf: run_query("select udf_rows_seen('" ~ udf ~ "')").rows[0][0] | int}) -%}
    {%- endfor -%}
    {{ return(seen) }}
{%- endmacro %}


{% macro chunked_progress_start(work, chunks) -%}
    {%- set now = modules.datetime.datetime.now() -%}
    {{ return(namespace(
        rows=chunks | sum(attribute='rows'), done=0, started=now, reported=now, chunks=chunks | length
    )) }}
{%- endmacro %}


{#- A line for the first chunk and then every five seconds: often enough to see it live, rarely enough to read. -#}
{% macro chunked_progress_report(work, progress, chunk) -%}
    {%- set now = modules.datetime.datetime.now() -%}
    {%- set first = progress.done == 0 -%}
    {%- set progress.done = progress.done + chunk.rows -%}
    {%- if progress.chunks > 1 and (first or (now - progress.reported).total_seconds() >= 5) -%}
        {%- set progress.reported = now -%}
        {%- set elapsed = (now - progress.started).total_seconds() -%}
        {%- set left = elapsed / progress.done * (progress.rows - progress.done) -%}
        {%- do log(
            work.name ~ ": " ~ "{:,}".format(progress.done) ~ " of " ~ "{:,}".format(progress.rows) ~ " rows in "
            ~ "{:.0f}".format(elapsed) ~ " s, about " ~ "{:.0f}".format(left) ~ " s left", info=true
        ) -%}
    {%- endif -%}
{%- endmacro %}


{#- The statement that records the run: what the UDFs of the model saw since `rows_before`, and, since not every costly
    model calls one, the rows of its input that were computed. -#}
{% macro chunked_record_run(work, rows_before, progress) -%}
    {%- set seconds = (modules.datetime.datetime.now() - progress.started).total_seconds() -%}
    insert into intermediate.udf_rows_by_run (invocation_id, model, udf, n_rows, seconds)
    select '{{ invocation_id }}', '{{ work.name }}', udf, udf_rows_seen(udf) - rows_before, {{ seconds }}
    from (
        select
            unnest([{% for udf in work.udfs %}'{{ udf }}'{{ ", " if not loop.last }}{% endfor %}]::varchar[]) as udf,
            unnest([{% for udf in work.udfs %}{{ rows_before[udf] }}{{ ", " if not loop.last }}{% endfor %}]::bigint[])
                as rows_before
    ) as counted
    union all
    select '{{ invocation_id }}', '{{ work.name }}', 'input rows', {{ progress.rows or 0 }}, {{ seconds }}
{%- endmacro %}
