{#- Files on their way from a query to the UDFs that read them. -#}

{#- Write the rows of a select to `path`, in their order: one Parquet file on DuckDB, a folder of them on Spark. -#}
{% macro write_parquet(select, path) -%} {%- do adapter.dispatch('write_parquet')(select, path) -%} {%- endmacro %}
{% macro default__write_parquet(select, path) -%}
    {%- call statement('write_parquet', auto_begin=True) -%}
        copy ({{ select }}) to {{ literal(path) }} (format parquet, compression uncompressed)
    {%- endcall -%}
{%- endmacro %}
{% macro spark__write_parquet(select, path) -%}
    {%- call statement('write_parquet') -%}
        insert overwrite directory {{ literal(path) }} using parquet {{ select }}
    {%- endcall -%}
{%- endmacro %}


{#- See to it that every task can open the file behind a handle, which may stand for several: `<digest>+<digest>.<suffix>`.
    Spark sends each executor a copy, once, however many tasks it runs. -#}
{% macro bring_to_tasks(handle) -%} {%- do adapter.dispatch('bring_to_tasks')(handle) -%} {%- endmacro %}
{% macro default__bring_to_tasks(handle) -%} {%- endmacro %}
{% macro spark__bring_to_tasks(handle) -%}
    {%- set folder, name = handle.rsplit('/', 1) -%}
    {%- set digests, suffix = name.rsplit('.', 1) -%}
    {%- for digest in digests.split('+') -%}
        {%- do run_query("add file " ~ literal(folder ~ '/' ~ digest ~ '.' ~ suffix)) -%}
    {%- endfor -%}
{%- endmacro %}
