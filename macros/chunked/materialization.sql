{#- `chunked`: an incremental table that is computed and committed a few thousand rows at a time, for features that cost
    too much to lose. A killed run loses at most the chunk that it was in; the next run goes on where it stopped.

    A model of this kind reads as an ordinary select over one input model. The materialization compares the input with
    what is stored, and runs the select over the missing rows only, one chunk after the other, by putting a temporary
    table in the place of the input. Every stored row carries a `fingerprint` (see macros/fingerprint.sql): a row whose
    fingerprint is no longer wanted is deleted and computed again, so that old and new never mix. A row that is stale is
    replaced together with the others of its chunk.

    Its `meta`:
      input        the name of the input model (the select must ref() it)
      unique_key   the columns that identify an input row; they are columns of the result, too
      fingerprint  an SQL expression over the input, from fingerprint()
      udfs         the UDFs that the select calls: the rows that each saw are recorded per run
      only         a condition on the columns of unique_key, where not all of the input is to be computed now; what is
                   stored of the rest stays
      stale        a condition on stored rows that are to be computed again though their fingerprint is right
      chunk_by     an expression over the input: rows of one value make a chunk, whatever their fingerprints (default: those
                   of one fingerprint do)
      chunk_rows   rows to a chunk (default: the var chunk_rows); 0 makes one chunk of all that belong together
      row_bytes    where chunk_rows is 0: DuckDB's memory that a row takes while its chunk is computed and that cannot spill,
                   as that of lists which an aggregate gathers; what half of the memory limit does not hold is parted
      setup        the name of a macro that prepares each chunk and returns text to put in place of text in the select -#}
{% materialization chunked, adapter='duckdb' %}
    {%- set work = chunked_work() -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- do chunked_create_run_record() -%}
    {%- do chunked_prepare_target(work) -%}
    {%- do chunked_delete_stale(work) -%}
    {%- set chunks = chunked_find_pending(work) -%}
    {%- do adapter.commit() -%}

    {%- set rows_before = chunked_rows_seen(work) -%}
    {%- set progress = chunked_progress_start(work, chunks) -%}
    {%- for chunk in chunks -%}
        {%- do chunked_build(work, chunk) -%}
        {%- do adapter.commit() -%}
        {%- do chunked_progress_report(work, progress, chunk) -%}
    {%- endfor -%}

    {#- dbt wants one statement called main; the record of the run is the one that is made in any case. -#}
    {%- call statement('main', auto_begin=True) -%}
        {{ chunked_record_run(work, rows_before, progress) }}
    {%- endcall -%}
    {%- do chunked_clean_up(work) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do persist_docs(work.target, model) -%}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [work.target]}) }}
{% endmaterialization %}


{#- Everything that the steps share: relations, keys and the select over the input. -#}
{% macro chunked_work() -%}
    {%- set meta = config.get('meta', {}) -%}
    {%- for required in ['input', 'unique_key', 'fingerprint', 'udfs'] if required not in meta -%}
        {{ exceptions.raise_compiler_error("chunked model " ~ model.name ~ " has no meta." ~ required) }}
    {%- endfor -%}
    {%- set input = ref(meta['input']) -%}
    {%- if input | string not in sql -%}
        {{ exceptions.raise_compiler_error(
            "chunked model " ~ model.name ~ " names " ~ meta['input'] ~ " as its input but does not select from it"
        ) }}
    {%- endif -%}
    {%- set keys = meta['unique_key'] -%}
    {#- DuckDB has temporary tables; on Spark, which has none, steps of its own say where these lie. -#}
    {{ return({
        'name': model.name,
        'target': this.incorporate(type='table'),
        'input': input,
        'sql': sql,
        'keys': keys,
        'fingerprint': meta['fingerprint'],
        'udfs': meta['udfs'],
        'chunk_by': meta.get('chunk_by', 'wanted_fingerprint'),
        'chunk_rows': meta.get('chunk_rows', var('chunk_rows')) | int,
        'row_bytes': meta.get('row_bytes', 0) | int,
        'setup': meta.get('setup'),
        'only': meta.get('only', 'true'),
        'stale': meta.get('stale', 'false'),
        'pending': adapter.quote(model.name ~ '__pending'),
        'chunk': adapter.quote(model.name ~ '__chunk'),
    }) }}
{%- endmacro %}
