{#- One pass over the tokens of one shard, inside a `chunked` model whose chunks are shards.

    The model writes scanned_shard(), scan_udf('…') and scan_query_table() where the shard's rows, the UDF for its token
    width and the handle of its query table belong. They render as placeholders, since the shard is only known
    when its chunk is built; corpus_scan() then says what to put in their place. -#}

{% macro scanned_shard() -%} (select * from raw.corpus_sequences_uint16 where shard_id = -1) {%- endmacro %}

{% macro scan_query_table() -%} '{query table}' {%- endmacro %}

{% macro scan_udf(name) -%} {{ name }}_uint16 {%- endmacro %}


{#- Prepare the scan of the shard that the chunk in `work` belongs to. Where the model names a column of `windows`, those
    of the chunk become the query table. -#}
{% macro corpus_scan(work) -%}
    {%- set shard = run_query(
        "select min(shard_id), min(storage), min(token_dtype) from " ~ work.chunk
    ).rows[0] -%}
    {%- set relation = "in_place_shard_" ~ shard[0] -%}
    {%- if shard[1] == 'landed' -%}
        {%- set relation = "(select * from raw.corpus_sequences_" ~ shard[2] ~ " where shard_id = " ~ shard[0] ~ ")" -%}
    {%- endif -%}
    {%- do scan_begins(work.name ~ ', shard ' ~ shard[0], shard[0]) -%}
    {%- set substitutions = {scanned_shard(): relation} -%}
    {%- if shard[2] != 'uint16' -%}
        {%- for name in work.udfs -%}
            {%- do substitutions.update({scan_udf(name) ~ '(': name ~ '('}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set windows = config.get('meta', {}).get('windows') -%}
    {%- if windows -%}
        {%- do substitutions.update({scan_query_table(): literal(corpus_scan_query_table(work, windows))}) -%}
    {%- endif -%}
    {{ return(substitutions) }}
{%- endmacro %}


{#- The statement that scans says nothing until it ends, so its functions do, and for an estimate they need a total. Spark
    has a progress of its own. -#}
{% macro scan_begins(title, shard_id) -%} {{ adapter.dispatch('scan_begins')(title, shard_id) }} {%- endmacro %}
{% macro default__scan_begins(title, shard_id) -%}
    {%- set sequences = run_query("select n_sequences from raw.corpus_shards where shard_id = " ~ shard_id).rows[0][0] -%}
    {%- do run_query("select begin_scan('" ~ title ~ "', " ~ sequences ~ ")") -%}
{%- endmacro %}
{% macro spark__scan_begins(title, shard_id) -%} {%- endmacro %}


{#- In SQL, the folder for files that a query hands to its UDFs; it goes when dbt ends. -#}
{% macro scratch() -%} {{ adapter.dispatch('scratch')() }} {%- endmacro %}
{% macro default__scratch() -%} scratch_folder({{ literal(target.path) }}) {%- endmacro %}
{% macro spark__scratch() -%} {{ literal(env_var("MEMTAX_SPARK_SCRATCH")) }} {%- endmacro %}


{#- Write the chunk's windows to a file and build the query table from it: no SQL argument could carry them all. -#}
{% macro corpus_scan_query_table(work, windows) -%}
    {%- set folder = run_query("select " ~ scratch()).rows[0][0] -%}
    {%- set file = folder ~ "/" ~ invocation_id ~ ".parquet" -%}
    {%- do write_parquet("select " ~ windows ~ " from " ~ work.chunk, file) -%}
    {%- set handle = run_query(
        "select build_query_table(" ~ literal(file) ~ ", " ~ literal(folder) ~ ")"
    ).rows[0][0] -%}
    {%- do bring_to_tasks(handle) -%}
    {{ return(handle) }}
{%- endmacro %}
